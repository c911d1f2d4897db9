"""URLs for the review queue and for requests for decisions."""

from django.urls import path

from runs.review import views_ask, views_many, views_queue

urlpatterns = [
    path("review/", views_queue.review, name="review"),
    path("review/undo/", views_queue.review_undo, name="review-undo"),
    path("review/asked/", views_queue.review_asked, name="review-asked"),
    path("review/decided/", views_queue.review_decided, name="review-decided"),
    path("review/many/", views_many.review_many, name="review-many"),
    path("review/ask/", views_ask.review_ask, name="review-ask"),
    path("review/requests/<str:request_id>/close/", views_queue.review_request_close, name="review-request-close"),
    path("review/requests/<str:request_id>/remind/", views_queue.review_request_remind, name="review-request-remind"),
]
