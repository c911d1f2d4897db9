"""URLs for people and their accounts."""

from django.urls import path

from runs.team import views, views_join, views_me

urlpatterns = [
    path("manage/people/", views.manage_people, name="manage-people"),
    path("manage/people/<str:member_id>/", views.manage_person, name="manage-person"),
    path("manage/people/<str:member_id>/new-password/", views.person_new_password, name="person-new-password"),
    path("manage/people/<str:member_id>/deactivate/", views.person_deactivate, name="person-deactivate"),
    path("manage/people/<str:member_id>/reactivate/", views.person_reactivate, name="person-reactivate"),
    path("manage/people/<str:member_id>/hand-over/", views.person_transfer, name="person-transfer"),
    path("manage/people/<str:member_id>/mail-again/", views.person_mail_again, name="person-mail-again"),
    path("manage/people/invites/<str:invite_id>/send/", views.invite_send, name="invite-send"),
    path("manage/people/invites/<str:invite_id>/revoke/", views.invite_revoke, name="invite-revoke"),
    path("invite/<str:token>/", views_join.invite, name="invite"),
    path("password/reset/", views_join.password_reset, name="password-reset"),
    path("password/reset/<str:token>/", views_join.password_new, name="password-new"),
    path("password/change/", views_me.password_change, name="password-change"),
    path("me/", views_me.me, name="me"),
    path("me/mails/", views_me.mail_choices, name="mail-choices"),
    path("me/mails/again/", views_me.mail_again, name="mail-again"),
    path("me/sessions/end-others/", views_me.session_end_others, name="session-end-others"),
    path("me/sessions/<str:place_id>/end/", views_me.session_end, name="session-end"),
]
