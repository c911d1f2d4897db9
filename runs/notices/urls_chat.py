"""URLs for Slack and Teams."""

from django.urls import path

from runs.notices import views_chat

urlpatterns = [
    path("manage/notices/", views_chat.manage_notices, name="manage-notices"),
    path("manage/notices/chat/<str:app>/", views_chat.chat_set, name="chat-set"),
    path("manage/notices/chat/<str:app>/test/", views_chat.chat_test, name="chat-test"),
    path("manage/notices/chat/<str:app>/remove/", views_chat.chat_remove, name="chat-remove"),
]
