"""The URL of the home page."""

from django.urls import path

from runs.home import views

urlpatterns = [
    path("", views.home, name="home"),
]
