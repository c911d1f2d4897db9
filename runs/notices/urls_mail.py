"""URLs for emails: asking for one when a run is ready, sending a test email, and unsubscribing."""

from django.urls import path

from runs.notices import views_mail

urlpatterns = [
    path("runs/<str:run_id>/mail/", views_mail.run_mail, name="run-mail"),
    path("manage/notices/mail-test/", views_mail.mail_test, name="mail-test"),
    path("mail/<str:signed>/", views_mail.mail_stop, name="mail-stop"),
]
