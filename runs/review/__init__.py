"""Reviews: verdicts on results, requests for them, comments, and the next version.

Tables: `models.decisions`, `models.review_requests`, `models.comments`, and on each result its content hash, verdict
and version. The engine knows nothing of this subject; it announces new content and versions by events. Pages, guest
pages and History call it.
"""
