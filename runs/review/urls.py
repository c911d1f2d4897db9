"""URLs for reviews: decisions and the rules about them, comments, the queue, and requests for decisions."""

from django.urls import path

from runs.review import views, views_ask, views_carry_over, views_comments, views_many, views_queue, views_rules

urlpatterns = [
    path("results/choose/", views.results_choose, name="results-choose"),
    path("results/<str:result_id>/decide/", views.result_decide, name="result-decide"),
    path("results/<str:result_id>/withdraw/", views.result_withdraw, name="result-withdraw"),
    path("decisions/undo/<str:batch>/", views.decision_undo, name="decision-undo"),
    path("decisions/<str:decision_id>/set-aside/", views.decision_set_aside, name="decision-set-aside"),
    path("manage/review/", views_rules.manage_review, name="manage-review"),
    # comments
    path("results/<str:result_id>/comment/", views_comments.result_comment, name="result-comment"),
    path("results/<str:result_id>/carry-over/", views_carry_over.result_carry_over, name="result-carry-over"),
    path("runs/<str:run_id>/comment/", views_comments.run_comment, name="run-comment"),
    path("runs/<str:run_id>/people/", views_comments.run_people, name="run-people"),
    path("comments/<str:comment_id>/reply/", views_comments.comment_reply, name="comment-reply"),
    path("comments/<str:comment_id>/edit/", views_comments.comment_edit, name="comment-edit"),
    path("comments/<str:comment_id>/remove/", views_comments.comment_remove, name="comment-remove"),
    path("comments/<str:comment_id>/resolve/", views_comments.comment_resolve, name="comment-resolve"),
    path("comments/<str:comment_id>/move-back/", views_carry_over.comment_move_back, name="comment-move-back"),
    # the queue, and requests for decisions
    path("review/", views_queue.review, name="review"),
    path("review/undo/", views_queue.review_undo, name="review-undo"),
    path("review/asked/", views_queue.review_asked, name="review-asked"),
    path("review/decided/", views_queue.review_decided, name="review-decided"),
    path("review/many/", views_many.review_many, name="review-many"),
    path("review/ask/", views_ask.review_ask, name="review-ask"),
    path("review/requests/<str:request_id>/close/", views_queue.review_request_close, name="review-request-close"),
    path("review/requests/<str:request_id>/remind/", views_queue.review_request_remind, name="review-request-remind"),
]
