"""What the pages of runs and results show, made ready for templates."""
