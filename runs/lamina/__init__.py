"""Typed, fault-tolerant access to the Lamina HTTP API, based on `requests` and independent of Django.

Errors carry Lamina's codes and original messages; our own wording is in `words`.
"""
