"""URLs for sharing and guest links."""

from django.urls import path

from runs.sharing import views, views_guest, views_guest_answers

urlpatterns = [
    path("runs/<str:run_id>/share/", views.run_share, name="run-share"),
    path("shares/", views.link_list, name="link-list"),
    path("shares/new/", views.link_new, name="link-new"),
    path("shares/<str:link_id>/", views.link_detail, name="link-detail"),
    path("shares/<str:link_id>/copies/", views.link_copies, name="link-copies"),
    path("shares/<str:link_id>/extend/", views.link_extend, name="link-extend"),
    path("shares/<str:link_id>/replace/", views.link_replace, name="link-replace"),
    path("shares/<str:link_id>/revoke/", views.link_revoke, name="link-revoke"),
    path("shares/<str:link_id>/same-person/", views.link_same_person, name="link-same-person"),
    path("shares/<str:link_id>/restore/", views.link_restore, name="link-restore"),
    path("manage/sharing/", views.manage_sharing, name="manage-sharing"),
    path("logo/<str:file_id>/", views_guest.company_logo, name="company-logo"),
    path("s/<str:token>/", views_guest.guest, name="guest"),
    path("s/<str:token>/files/<str:file_id>/<str:variant>", views_guest.guest_file, name="guest-file"),
    path("s/<str:token>/results/<str:result_id>/text", views_guest.guest_text, name="guest-text"),
    path("s/<str:token>/preview.jpg", views_guest.guest_preview, name="guest-preview"),
    path("s/<str:token>/download/", views_guest.guest_download, name="guest-download"),
    path("s/<str:token>/decide/", views_guest_answers.guest_decide, name="guest-decide"),
    path("s/<str:token>/comment/", views_guest_answers.guest_comment, name="guest-comment"),
    path("s/<path:rest>", views_guest.guest_unknown, name="guest-unknown"),
]
