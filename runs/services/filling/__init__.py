"""Filling an app's form: drafts, presets, values used again, files that people give, and the library."""
