"""URLs for uploads."""

from django.urls import path

from runs.uploads import views

urlpatterns = [
    path("uploads/", views.upload_create, name="upload-create"),
    path("uploads/room/", views.upload_room, name="upload-room"),
    path("uploads/allowed/", views.upload_allowed, name="upload-allowed"),
    path("uploads/<str:upload_id>/", views.upload_detail, name="upload-detail"),
]
