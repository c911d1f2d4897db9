"""URL of the help page."""

from django.urls import path

from runs.help import views

urlpatterns = [
    path("help/keys/", views.help_keys, name="help-keys"),
]
