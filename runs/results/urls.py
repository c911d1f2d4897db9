"""URLs for results, files and downloads."""

from django.urls import path

from runs.results import views, views_downloads, views_files

urlpatterns = [
    path("results/<str:result_id>/", views.result_detail, name="result-detail"),
    path("results/<str:result_id>/use/", views.result_use, name="result-use"),
    path("results/<str:result_id>/fetch-again/", views.result_fetch_again, name="result-fetch-again"),
    path("results/<str:result_id>/text", views_downloads.result_text, name="result-text"),
    path("download/", views_downloads.results_download, name="results-download"),
    path("files/<str:file_id>/original", views_files.file_original, name="file-original"),
    path("files/<str:file_id>/thumb/<int:width>", views_files.file_thumb, name="file-thumb"),
]
