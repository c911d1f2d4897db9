"""Addresses: results, files and downloads."""

from django.urls import path

from runs.results import views, views_downloads, views_files

urlpatterns = [
    path("files/<str:file_id>/", views.file_detail, name="result-detail"),
    path("files/<str:file_id>/use/", views.file_use, name="result-use"),
    path("files/<str:file_id>/text", views_downloads.file_text, name="result-text"),
    path("download/", views_downloads.files_download, name="results-download"),
    path("files/<str:file_id>/original", views_files.file_original, name="file-original"),
    path("files/<str:file_id>/thumb/<int:width>", views_files.file_thumb, name="file-thumb"),
]
