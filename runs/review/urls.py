"""URLs for decisions, and for the rules about them."""

from django.urls import path

from runs.review import views, views_rules

urlpatterns = [
    path("results/choose/", views.results_choose, name="results-choose"),
    path("results/<str:result_id>/decide/", views.result_decide, name="result-decide"),
    path("results/<str:result_id>/withdraw/", views.result_withdraw, name="result-withdraw"),
    path("decisions/undo/<str:batch>/", views.decision_undo, name="decision-undo"),
    path("decisions/<str:decision_id>/set-aside/", views.decision_set_aside, name="decision-set-aside"),
    path("manage/review/", views_rules.manage_review, name="manage-review"),
]
