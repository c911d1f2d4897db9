"""Lamina's HTTP API, typed and tolerant. Uses `requests` but not Django, and contains no messages for people.

Errors carry Lamina's codes and quotes; our own sentences are in `words`.
"""
