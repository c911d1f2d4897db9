"""A stand-alone Lamina for trying and testing: a real HTTP server on loopback with a real catalogue, time and money.

It shares no code with the portal's client, so that neither hides the other's mistakes: nothing here imports Django or
`runs.lamina`. Everything that goes over the wire follows the vendor's documented behaviour; the control door under
`/control/` (see `control.py`) exists only here.
"""
