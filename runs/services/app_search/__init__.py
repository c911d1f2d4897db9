"""Finding an app: our own list by words at once, then Lamina for whatever the list does not hold."""
