"""URLs for notices: the inbox and muting, emails, and Slack and Teams."""

from django.urls import path

from runs.notices import views, views_chat, views_mail

urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/read/", views.inbox_read, name="inbox-read"),
    path("inbox/seen/", views.inbox_seen, name="inbox-seen"),
    path("inbox/muted/", views.inbox_muted, name="inbox-muted"),
    path("inbox/mute/", views.inbox_mute, name="inbox-mute"),
    path("inbox/unmute/", views.inbox_unmute, name="inbox-unmute"),
    # emails: asking for one when a run is ready, sending a test email, and unsubscribing
    path("runs/<str:run_id>/mail/", views_mail.run_mail, name="run-mail"),
    path("manage/notices/mail-test/", views_mail.mail_test, name="mail-test"),
    path("mail/<str:signed>/", views_mail.mail_stop, name="mail-stop"),
    # Slack and Teams
    path("manage/notices/", views_chat.manage_notices, name="manage-notices"),
    path("manage/notices/chat/<str:app>/", views_chat.chat_set, name="chat-set"),
    path("manage/notices/chat/<str:app>/test/", views_chat.chat_test, name="chat-test"),
    path("manage/notices/chat/<str:app>/remove/", views_chat.chat_remove, name="chat-remove"),
]
