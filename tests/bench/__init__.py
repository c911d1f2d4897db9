"""Benches that measure how much the portal uses and how fast it is, compared with its targets.

`make bench` runs all of them, `python -m tests.bench history --runs 100000` only one. Each has its own process and data
folder, and uses the portal's real processes and a real sandbox.
"""
