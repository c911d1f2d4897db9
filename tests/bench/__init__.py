"""Benchmarks of the portal's speed and resource use, compared with its targets.

`make bench` runs all of them; `python -m tests.bench history --runs 100000` runs just one. Each benchmark has its own
process and data folder, and uses the portal's real processes and a real sandbox.
"""
