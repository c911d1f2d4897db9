"""Tests, grouped by subject: folders are named after those in `runs/`, files after what they test.

Some folders span all subjects: `access` requests every URL as every kind of user, `hostile` feeds the whole portal bad
apps, responses and input through its pages, `browser` drives a real Chromium, `server` tests the web server,
`repository` tests the files and tools around the code, `bench` holds the benchmarks. `lamina_portal` tests the wiring.

A subject's helpers are next to its tests; shared helpers are in `support`. A subject's fixtures are in its
`conftest.py`. Nothing imports a test or a conftest.
"""
