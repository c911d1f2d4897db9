"""Addresses: results, files and downloads."""

from django.urls import path

from runs.results import views, views_downloads, views_files

urlpatterns = [
    path("files/<str:file_id>/", views.file_detail, name="file-detail"),
    path("files/<str:file_id>/use/", views.file_use, name="file-use"),
    path("files/<str:file_id>/text", views_downloads.file_text, name="file-text"),
    path("download/", views_downloads.files_download, name="files-download"),
    path("files/<str:file_id>/original", views_files.file_original, name="file-original"),
    path("files/<str:file_id>/thumb/<int:width>", views_files.file_thumb, name="file-thumb"),
]
