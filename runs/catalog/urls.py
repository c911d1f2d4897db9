"""URLs of the app list and the search."""

from django.urls import path

from runs.catalog import views

urlpatterns = [
    path("apps/", views.app_list, name="app-list"),
    path("apps/lamina/", views.app_search, name="app-search"),
]
