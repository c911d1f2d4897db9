"""URL of the health page for admins."""

from django.urls import path

from runs.manage import views

urlpatterns = [
    path("manage/", views.manage, name="manage"),
]
