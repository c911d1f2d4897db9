"""URLs for the audit record."""

from django.urls import path

from runs.audit import views

urlpatterns = [
    path("manage/log/", views.manage_log, name="manage-log"),
    path("manage/log/csv/", views.manage_log_csv, name="manage-log-csv"),
    path("record/<str:kind>/<str:object_id>/", views.object_record, name="object-record"),
]
