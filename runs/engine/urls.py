"""The URL of Lamina's webhooks."""

from django.urls import path

from runs.engine import views

urlpatterns = [
    path("hooks/lamina/<str:token>/", views.webhook, name="webhook"),
]
