"""Two of the admin pages: the portal's health, and storage.

Each other page under Manage is with its subject: People in `team`, Apps in `catalog` (`views_arrange` has the list, and
`views_app_settings` an app's page), Spending and Limits in `spending`, Sharing in `sharing`, Review in `review`
(`views_rules`), Notices in `notices` (`views_chat`), Retention in `history` (`views_retention`), and Record in `audit`.
The menu beside them is in `templatetags/manage.py`.
"""
