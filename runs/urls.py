"""Addresses of the portal; the name of each is the name of its view and of its template."""

from django.urls import path

from runs.views import (
    again,
    app_list,
    apps,
    bin,
    compare,
    downloads,
    files,
    guests,
    help,
    history,
    home,
    hooks,
    joining,
    keeping,
    library,
    live,
    manage,
    me,
    people,
    picks,
    presets,
    results,
    runs,
    sharing,
    stars,
)

app_name = "runs"

app_urls = [
    path("apps/", app_list.app_list, name="app-list"),
    path("apps/lamina/", app_list.app_search, name="app-search"),
    path("apps/<slug:slug>-<str:app_id>/", apps.app_detail, name="app-detail"),
    path("drafts/<str:app_id>/", apps.draft_save, name="draft-save"),
    path("drafts/<str:app_id>/clear/", apps.draft_clear, name="draft-clear"),
    path("apps/<str:app_id>/news/", apps.app_news, name="app-news"),
    path("apps/<str:app_id>/cost/", apps.app_cost, name="app-cost"),
    path("apps/<str:app_id>/star/", stars.app_star, name="app-star"),
]
run_urls = [
    path("history/", history.history, name="history"),
    path("history/act/", picks.history_act, name="history-act"),
    path("history/views/", picks.view_save, name="view-save"),
    path("history/views/<str:view_id>/", picks.view_change, name="view-change"),
    path("runs/<str:run_id>/", runs.run_detail, name="run-detail"),
    path("runs/<str:run_id>/status/", live.run_status, name="run-status"),
    path("runs/<str:run_id>/cancel/", runs.run_cancel, name="run-cancel"),
    path("runs/<str:run_id>/start-again/", runs.run_start_again, name="run-start-again"),
    path("runs/<str:run_id>/leave/", runs.run_leave, name="run-leave"),
    path("runs/<str:run_id>/retry-failed/", runs.run_retry_failed, name="run-retry-failed"),
    path("hooks/lamina/<str:token>/", hooks.hook, name="hook"),
    path("live/", live.live, name="live"),
]
bin_urls = [
    path("bin/", bin.bin, name="bin"),
    path("runs/<str:run_id>/delete/", bin.run_delete, name="run-delete"),
    path("runs/<str:run_id>/restore/", bin.run_restore, name="run-restore"),
    path("files/<str:file_id>/fetch-again/", bin.file_fetch_again, name="file-fetch-again"),
]
reuse_urls = [
    path("compare/", compare.compare, name="compare"),
    path("runs/<str:run_id>/again/", again.run_again, name="run-again"),
    path("runs/<str:run_id>/rename/", again.run_rename, name="run-rename"),
    path("presets/new/", presets.preset_new, name="preset-new"),
    path("presets/<str:preset_id>/", presets.preset_edit, name="preset-edit"),
    path("presets/<str:preset_id>/delete/", presets.preset_delete, name="preset-delete"),
    path("runs/<str:run_id>/star/", stars.run_star, name="run-star"),
    path("files/<str:file_id>/star/", stars.file_star, name="file-star"),
]
manage_urls = [
    path("manage/", manage.manage, name="manage"),
    path("manage/keeping/", keeping.manage_keeping, name="manage-keeping"),
    path("manage/people/", people.manage_people, name="manage-people"),
    path("manage/people/<str:member_id>/", people.manage_person, name="manage-person"),
    path("manage/people/<str:member_id>/new-password/", people.person_new_password, name="person-new-password"),
    path("manage/people/<str:member_id>/deactivate/", people.person_deactivate, name="person-deactivate"),
    path("manage/people/<str:member_id>/reactivate/", people.person_reactivate, name="person-reactivate"),
    path("manage/people/<str:member_id>/hand-over/", people.person_hand_over, name="person-hand-over"),
    path("manage/people/invites/<str:invite_id>/send/", people.invite_send, name="invite-send"),
    path("manage/people/invites/<str:invite_id>/revoke/", people.invite_revoke, name="invite-revoke"),
]
people_urls = [
    path("invite/<str:token>/", joining.invite, name="invite"),
    path("password/reset/", joining.password_reset, name="password-reset"),
    path("password/reset/<str:token>/", joining.password_new, name="password-new"),
    path("password/change/", me.password_change, name="password-change"),
    path("me/", me.me, name="me"),
    path("me/sessions/end-others/", me.session_end_others, name="session-end-others"),
    path("me/sessions/<str:place_id>/end/", me.session_end, name="session-end"),
]
file_urls = [
    path("files/<str:file_id>/", results.file_detail, name="file-detail"),
    path("files/<str:file_id>/use/", results.file_use, name="file-use"),
    path("files/<str:file_id>/text", downloads.file_text, name="file-text"),
    path("library/", library.library, name="library"),
    path("download/", downloads.files_download, name="files-download"),
    path("files/<str:file_id>/original", files.file_original, name="file-original"),
    path("files/<str:file_id>/thumb/<int:width>", files.file_thumb, name="file-thumb"),
    path("uploads/", files.upload_create, name="upload-create"),
    path("uploads/<str:upload_id>/", files.upload_detail, name="upload-detail"),
]
share_urls = [
    path("runs/<str:run_id>/share/", sharing.run_share, name="run-share"),
    path("shares/", sharing.shares, name="shares"),
    path("shares/new/", sharing.share_new, name="share-new"),
    path("shares/<str:link_id>/", sharing.share_detail, name="share-detail"),
    path("shares/<str:link_id>/copies/", sharing.share_copies, name="share-copies"),
    path("shares/<str:link_id>/extend/", sharing.share_extend, name="share-extend"),
    path("shares/<str:link_id>/revoke/", sharing.share_revoke, name="share-revoke"),
    path("shares/<str:link_id>/restore/", sharing.share_restore, name="share-restore"),
    path("manage/sharing/", sharing.manage_sharing, name="manage-sharing"),
]
guest_urls = [
    path("s/<str:token>/", guests.guest, name="guest"),
    path("s/<str:token>/files/<str:file_id>/<str:variant>", guests.guest_file, name="guest-file"),
    path("s/<str:token>/preview.jpg", guests.guest_preview, name="guest-preview"),
    path("s/<str:token>/download/", guests.guest_download, name="guest-download"),
    path("s/<path:rest>", guests.guest_unknown, name="guest-unknown"),
]
urlpatterns = [
    path("", home.home, name="home"),
    path("help/keys/", help.help_keys, name="help-keys"),
    *app_urls,
    *run_urls,
    *bin_urls,
    *reuse_urls,
    *file_urls,
    *manage_urls,
    *people_urls,
    *share_urls,
    *guest_urls,
]
