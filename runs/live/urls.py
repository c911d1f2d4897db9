"""URLs for the run page and its actions, and for live updates of open pages."""

from django.urls import path

from runs.live import views, views_run

urlpatterns = [
    path("runs/<str:run_id>/", views_run.run_detail, name="run-detail"),
    path("runs/<str:run_id>/status/", views.run_status, name="run-status"),
    path("runs/<str:run_id>/cancel/", views_run.run_cancel, name="run-cancel"),
    path("runs/<str:run_id>/start-again/", views_run.run_start_again, name="run-start-again"),
    path("runs/<str:run_id>/leave/", views_run.run_leave, name="run-leave"),
    path("runs/<str:run_id>/retry-failed/", views_run.run_retry_failed, name="run-retry-failed"),
    path("live/", views.live, name="live"),
    path("live/frame/", views.live_frame, name="live-frame"),
    path("live/team/", views.live_team, name="live-team"),
]
