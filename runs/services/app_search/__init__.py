"""Finding apps: our own list by words at once, then Lamina for the rest."""
