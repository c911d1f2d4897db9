"""Everything the sandbox draws: posters that show the inputs they were made from, thumbnails, samples."""
