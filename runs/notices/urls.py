"""URLs for the inbox and for muting."""

from django.urls import path

from runs.notices import views

urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/read/", views.inbox_read, name="inbox-read"),
    path("inbox/seen/", views.inbox_seen, name="inbox-seen"),
    path("inbox/muted/", views.inbox_muted, name="inbox-muted"),
    path("inbox/mute/", views.inbox_mute, name="inbox-mute"),
    path("inbox/unmute/", views.inbox_unmute, name="inbox-unmute"),
]
