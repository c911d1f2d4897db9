"""URLs for an app's form, drafts, presets, reruns, and the library."""

from django.urls import path

from runs.launching import views, views_library, views_presets, views_preview, views_rerun

urlpatterns = [
    path("apps/<slug:slug>-<str:app_id>/", views.app_detail, name="app-detail"),
    path("manage/apps/<str:app_id>/preview/", views_preview.manage_app_preview, name="manage-app-preview"),
    path("drafts/<str:app_id>/", views.draft_save, name="draft-save"),
    path("drafts/<str:app_id>/clear/", views.draft_clear, name="draft-clear"),
    path("drafts/<str:app_id>/drop/", views.draft_drop, name="draft-drop"),
    path("drafts/<str:app_id>/restore/", views.draft_restore, name="draft-restore"),
    path("apps/<str:app_id>/news/", views.app_news, name="app-news"),
    path("apps/<str:app_id>/cost/", views.app_cost, name="app-cost"),
    path("runs/<str:run_id>/again/", views_rerun.run_rerun, name="run-rerun"),
    path("presets/new/", views_presets.preset_new, name="preset-new"),
    path("presets/<str:preset_id>/", views_presets.preset_edit, name="preset-edit"),
    path("presets/<str:preset_id>/delete/", views_presets.preset_delete, name="preset-delete"),
    path("library/", views_library.library, name="library"),
]
