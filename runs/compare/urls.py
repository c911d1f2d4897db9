"""The URL of the compare page."""

from django.urls import path

from runs.compare import views

urlpatterns = [
    path("compare/", views.compare, name="compare"),
]
