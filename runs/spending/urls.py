"""URLs for spending, limits and prices."""

from django.urls import path

from runs.spending import views, views_limits

urlpatterns = [
    path("manage/spending/", views.manage_spending, name="manage-spending"),
    path("manage/spending/charges.csv", views.spending_sheet, name="spending-sheet"),
    path("manage/spending/limits/", views_limits.manage_limits, name="manage-limits"),
    path("manage/spending/limits/<str:person_id>/", views_limits.manage_limit, name="manage-limit"),
    path("manage/spending/prices/<str:app_id>/", views_limits.app_price, name="app-price"),
    path("me/spending/ask/", views_limits.ask_for_more, name="ask-for-more"),
]
