"""Tests by subject: folders are named after those in `runs/`, and files after what they test.

Some folders cover all subjects: `access` requests every URL as every kind of user, `hostile` feeds the whole portal bad
apps, responses and input through its pages, `browser` drives a real Chromium, `server` tests the web server,
`repository` tests files and tools around the code, `bench` measures. `lamina_portal` tests the wiring.

A subject's helpers are in its folder, next to the tests; shared helpers are in `support`. A subject's fixtures are in
its `conftest.py`. Nothing imports a test or a conftest.
"""
