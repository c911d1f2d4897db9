"""A stand-in for Lamina, for demos and tests: a real HTTP server on loopback with apps, slow runs, files and credits.

It doesn't share code with the portal's client, so that neither can hide the other's bugs: nothing here imports Django
or `runs.lamina`. All requests and responses follow Lamina's documentation, except the control API under `/control/`
(see `control.py`).
"""
