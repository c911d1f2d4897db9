"""What the portal does, as verbs. Here lies the life of a run and the connection to Lamina; the rest is in folders."""
