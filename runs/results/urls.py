"""URLs for results, files and downloads."""

from django.urls import URLPattern, path

from runs.results import views, views_downloads, views_files
from runs.results.views_old_addresses import OldAddressView


def _old(route: str, name: str, *methods: str) -> URLPattern:
    """Return the old URL pattern for the view `name`. Old URLs are still in emails and chats, and on pages opened
    before the upgrade."""
    view = OldAddressView.as_view(pattern_name=f"runs:{name}", http_method_names=methods)
    return path(route, view, name=f"old-{name}")


urlpatterns = [
    path("results/<str:result_id>/", views.result_detail, name="result-detail"),
    path("results/<str:result_id>/use/", views.result_use, name="result-use"),
    path("results/<str:result_id>/fetch-again/", views.result_fetch_again, name="result-fetch-again"),
    path("results/<str:result_id>/text", views_downloads.result_text, name="result-text"),
    path("download/", views_downloads.results_download, name="results-download"),
    path("files/<str:file_id>/original", views_files.file_original, name="file-original"),
    path("files/<str:file_id>/thumb/<int:width>", views_files.file_thumb, name="file-thumb"),
    _old("files/<str:result_id>/", "result-detail", "get", "head"),
    _old("files/<str:result_id>/use/", "result-use", "get", "head", "post"),
    _old("files/<str:result_id>/text", "result-text", "get", "head"),
    _old("files/<str:result_id>/star/", "result-star", "post"),
    _old("files/<str:result_id>/fetch-again/", "result-fetch-again", "post"),
]
