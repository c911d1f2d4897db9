"""Notices: tell people once about what concerns them, in the portal, by email and in the team's chat.

Tables: `models/notice.py`. Listens to `events.py`; the engine and `review` don't import it. A notice is one event for
one person (`create_notices.py`), put into words when it is read (`notice_text.py`). The worker emails what is due
(`mails.py`, `daily_mails.py`, `reminders.py`) and posts to Slack and Teams (`chat.py`).
"""
