"""URLs for the app list, the search, and the pages where admins set up apps."""

from django.urls import path

from runs.catalog import views, views_app_settings, views_arrange

urlpatterns = [
    path("apps/", views.app_list, name="app-list"),
    path("apps/lamina/", views.app_search, name="app-search"),
    path("manage/apps/", views_arrange.manage_apps, name="manage-apps"),
    path("manage/apps/<str:app_id>/reset/", views_app_settings.manage_app_reset, name="manage-app-reset"),
    path("manage/apps/<slug:slug>-<str:app_id>/", views_app_settings.manage_app, name="manage-app"),
]
