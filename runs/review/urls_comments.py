"""URLs for comments."""

from django.urls import path

from runs.review import views_carry_over, views_comments

urlpatterns = [
    path("results/<str:result_id>/comment/", views_comments.result_comment, name="result-comment"),
    path("results/<str:result_id>/carry-over/", views_carry_over.result_carry_over, name="result-carry-over"),
    path("runs/<str:run_id>/comment/", views_comments.run_comment, name="run-comment"),
    path("runs/<str:run_id>/people/", views_comments.run_people, name="run-people"),
    path("comments/<str:comment_id>/reply/", views_comments.comment_reply, name="comment-reply"),
    path("comments/<str:comment_id>/edit/", views_comments.comment_edit, name="comment-edit"),
    path("comments/<str:comment_id>/remove/", views_comments.comment_remove, name="comment-remove"),
    path("comments/<str:comment_id>/resolve/", views_comments.comment_resolve, name="comment-resolve"),
    path("comments/<str:comment_id>/move-back/", views_carry_over.comment_move_back, name="comment-move-back"),
]
