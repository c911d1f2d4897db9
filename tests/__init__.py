"""Tests, grouped by subject: folders are named after those in `runs/`, files after what they test.

Some folders span all subjects: `access` requests every URL as every kind of user, `hostile` sends bad apps, responses
and input through the whole portal, `browser` drives a real Chromium, `server` tests the web server, `repository` tests
the files and tools around the code, and `bench` holds the benchmarks. `lamina_portal` tests the project's settings,
middleware and logs.

Helpers for one subject are next to its tests; shared helpers are in `support`. Fixtures for one subject are in its
`conftest.py`. Nothing imports a test or a conftest.
"""
