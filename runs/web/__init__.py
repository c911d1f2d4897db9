"""What all views need: requests and responses, limits, and protection against abuse.

Start with `http.py` (pages, fragments, redirects), `middleware.py`, `body_limits.py`, `throttling.py` and
`secret_links.py`. Tables: `ThrottleHit` and `KnownAddress`. Has no events. The views and forms of every subject call
it, and the settings name its middleware.
"""
