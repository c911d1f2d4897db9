"""The portal's URLs, collected from each package."""

from django.urls import include, path

app_name = "runs"
urlpatterns = [
    path("", include("runs.home.urls")),
    path("", include("runs.catalog.urls")),
    path("", include("runs.launching.urls")),
    path("", include("runs.engine.urls")),
    path("", include("runs.live.urls")),
    path("", include("runs.uploads.urls")),
    path("", include("runs.review.urls")),
    path("", include("runs.results.urls")),
    path("", include("runs.spending.urls")),
    path("", include("runs.history.urls")),
    path("", include("runs.notices.urls")),
    path("", include("runs.sharing.urls")),
    path("", include("runs.compare.urls")),
    path("", include("runs.team.urls")),
    path("", include("runs.manage.urls")),
    path("", include("runs.audit.urls")),
    path("", include("runs.help.urls")),
]
