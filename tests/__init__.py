"""Tests by subject: folders are called like those under `runs/`, and files after what they test.

What crosses all subjects has folders of its own: `access` asks every address as everybody, `hostile` gives the whole
portal bad apps, answers and input through its pages, `browser` drives a real Chromium, `server` is about the web
server, `repository` about files and tools around the code, `bench` measures. `lamina_portal` tests the wiring.

A tool of one subject stands in its folder, beside the tests; one of several stands in `support`. Fixtures of a subject
are in its `conftest.py`; neither a test nor a conftest is imported by anyone.
"""
