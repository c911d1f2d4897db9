"""URLs for the health and storage pages for admins."""

from django.urls import path

from runs.manage import views, views_storage

urlpatterns = [
    path("manage/", views.manage, name="manage"),
    path("manage/storage/", views_storage.manage_storage, name="manage-storage"),
]
