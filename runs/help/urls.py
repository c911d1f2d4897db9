"""URLs for the help pages."""

from django.urls import path

from runs.help import views

urlpatterns = [
    path("help/keys/", views.help_keys, name="help-keys"),
    path("help/accessibility/", views.help_accessibility, name="help-accessibility"),
]
