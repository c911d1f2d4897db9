"""Reviews: verdicts on results, requests for verdicts, comments, and next versions.

Tables: `models.decisions`, `models.review_requests`, `models.comments`, and on each result its content hash, verdict
and version. The engine doesn't import this package; it announces new content and versions through events. Pages, guest
pages and History call it.
"""
