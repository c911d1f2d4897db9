"""Notices: tells people what concerns them, once, in the app, by mail and in the team's chat.

Tables: `models/notice.py`. Listens to `events.py`; the core and `review` don't know it. A notice is one event for one
person (`record.py`), worded when it is read (`sentences.py`). The worker mails what is due (`mails.py`, `daily.py`,
`reminders.py`) and posts to Slack and Teams (`chat.py`).
"""
