"""Typed, fault-tolerant access to the Lamina HTTP API. Uses `requests` but not Django; has no user-facing messages.

Errors carry Lamina's codes and original messages; our own wording is in `words`.
"""
