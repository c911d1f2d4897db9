"""Lamina's HTTP API, typed and tolerant. Uses `requests`, knows no Django, and returns no sentence of ours for people.

Errors carry codes and quotes of Lamina; `words` has the sentences.
"""
