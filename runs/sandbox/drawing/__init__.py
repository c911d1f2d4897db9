"""Everything the sandbox draws: posters that show their inputs, thumbnails and samples."""
