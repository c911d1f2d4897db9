"""Layer 0: Lamina's HTTP API, typed and tolerant. Knows `requests` and nothing of Django."""
