"""People: members, invites, signing in, sessions and passwords.

Start with `members.py`, `invites.py`, `sessions.py` and `mail.py` (the portal's emails). Tables: `Member`, `Invite` and
`BrowserSession`. Sends `member_left`. Its own views and middleware call it; `notices` sends emails with it, and
`spending` has people confirm their password.
"""
