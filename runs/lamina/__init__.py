"""Lamina's HTTP API, typed and tolerant. Uses `requests` but not Django, and has no sentences of ours for people.

Errors carry Lamina's codes and quotes; our sentences are in `words`.
"""
