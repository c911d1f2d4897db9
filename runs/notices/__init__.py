"""Notices: tell each person once about each event that concerns them, in the portal, by email and in the team's chat.

Tables: `models/notice.py`. This package listens to `events.py`; the engine and `review` don't import it. A notice tells
one person about one event (`create_notices.py`). Its text is generated when it is read (`notice_text.py`). The worker
sends due emails (`mails.py`, `daily_mails.py`, `reminders.py`) and posts to Slack and Teams (`chat.py`).
"""
