"""Deciding together: verdicts on results, requests for them, comments, and the next version.

Tables: `models.decisions`, `models.review_requests`, `models.comments`, and on results their content's hash, verdict
and version. The engine doesn't know this subject: it tells of new contents and versions by events. Pages, guest pages
and History call it.
"""
