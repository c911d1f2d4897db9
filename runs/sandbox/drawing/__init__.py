"""Everything the sandbox draws: posters that show a run's inputs, thumbnails and samples."""
