"""The benches: what the portal costs and how fast it is, beside the bars it has to hold.

`make bench` runs all of them, `python -m tests.bench history --runs 100000` one. Each runs in a process and on a data
folder of its own, with the portal's real processes and a real sandbox Lamina.
"""
