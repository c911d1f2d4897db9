"""A stand-in for Lamina, for demos and tests: a real HTTP server on loopback with apps, slow runs, files and credits.

It shares no code with the portal's client, so that neither hides the other's mistakes: nothing here imports Django or
`runs.lamina`. Everything on the wire follows Lamina's documentation; only the control API under `/control/` (see
`control.py`) is the sandbox's own.
"""
