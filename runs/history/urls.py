"""URLs for History, the bin, stars, titles and retention."""

from django.urls import path

from runs.history import (
    views,
    views_bin,
    views_bulk,
    views_examples,
    views_holds,
    views_retention,
    views_select,
    views_stars,
    views_titles,
)

urlpatterns = [
    path("apps/<str:app_id>/star/", views_stars.app_star, name="app-star"),
    path("history/", views.history, name="history"),
    path("history/act/", views_bulk.history_bulk_action, name="history-bulk-action"),
    path("history/select/", views_select.history_select, name="history-select"),
    path("history/bin/", views_bin.bin_selected, name="bin-selected"),
    path("history/views/", views_bulk.view_save, name="view-save"),
    path("history/views/<str:view_id>/", views_bulk.view_change, name="view-change"),
    path("bin/", views_bin.bin, name="bin"),
    path("bin/restore/", views_bin.bin_restore, name="bin-restore"),
    path("runs/<str:run_id>/delete/", views_bin.run_delete, name="run-delete"),
    path("runs/<str:run_id>/restore/", views_bin.run_restore, name="run-restore"),
    path("runs/<str:run_id>/hold/", views_holds.run_hold, name="run-hold"),
    path("results/<str:result_id>/keep/", views_holds.result_keep, name="result-keep"),
    path("runs/<str:run_id>/rename/", views_titles.run_rename, name="run-rename"),
    path("results/<str:result_id>/describe/", views_titles.result_describe, name="result-describe"),
    path("runs/<str:run_id>/star/", views_stars.run_star, name="run-star"),
    path("results/<str:result_id>/star/", views_stars.result_star, name="result-star"),
    path("examples/clear/", views_examples.examples_clear, name="examples-clear"),
    path("examples/restore/", views_examples.examples_restore, name="examples-restore"),
    path("manage/keeping/", views_retention.manage_retention, name="manage-retention"),
    path("manage/keeping/protected/", views_holds.manage_held, name="manage-held"),
]
