"""Addresses of the portal; the name of each is the name of its view and of its template."""

from django.urls import path

from runs.catalog import views as views_app_list
from runs.compare import views as views_compare
from runs.engine import views as views_hooks
from runs.help import views as views_help
from runs.history import views as views_history
from runs.history import views_bin as history_views_bin
from runs.history import views_bulk as views_picks
from runs.history import views_retention as views_keeping
from runs.history import views_stars as history_views_stars
from runs.home import views as views_home
from runs.launching import views as views_apps
from runs.launching import views_library as launching_views_library
from runs.launching import views_presets as launching_views_presets
from runs.launching import views_rerun as views_again
from runs.live import views as views_live
from runs.live import views_run as views_runs
from runs.manage import views as views_manage
from runs.results import views as views_results
from runs.results import views_downloads as results_views_downloads
from runs.results import views_files as results_views_files
from runs.sharing import views as views_sharing
from runs.sharing import views_guest as views_guests
from runs.team import views as views_people
from runs.team import views_joining as team_views_joining
from runs.team import views_me as team_views_me

app_name = "runs"

app_urls = [
    path("apps/", views_app_list.app_list, name="app-list"),
    path("apps/lamina/", views_app_list.app_search, name="app-search"),
    path("apps/<slug:slug>-<str:app_id>/", views_apps.app_detail, name="app-detail"),
    path("drafts/<str:app_id>/", views_apps.draft_save, name="draft-save"),
    path("drafts/<str:app_id>/clear/", views_apps.draft_clear, name="draft-clear"),
    path("apps/<str:app_id>/news/", views_apps.app_news, name="app-news"),
    path("apps/<str:app_id>/cost/", views_apps.app_cost, name="app-cost"),
    path("apps/<str:app_id>/star/", history_views_stars.app_star, name="app-star"),
]
run_urls = [
    path("history/", views_history.history, name="history"),
    path("history/act/", views_picks.history_act, name="history-act"),
    path("history/views/", views_picks.view_save, name="view-save"),
    path("history/views/<str:view_id>/", views_picks.view_change, name="view-change"),
    path("runs/<str:run_id>/", views_runs.run_detail, name="run-detail"),
    path("runs/<str:run_id>/status/", views_live.run_status, name="run-status"),
    path("runs/<str:run_id>/cancel/", views_runs.run_cancel, name="run-cancel"),
    path("runs/<str:run_id>/start-again/", views_runs.run_start_again, name="run-start-again"),
    path("runs/<str:run_id>/leave/", views_runs.run_leave, name="run-leave"),
    path("runs/<str:run_id>/retry-failed/", views_runs.run_retry_failed, name="run-retry-failed"),
    path("hooks/lamina/<str:token>/", views_hooks.hook, name="hook"),
    path("live/", views_live.live, name="live"),
]
bin_urls = [
    path("bin/", history_views_bin.bin, name="bin"),
    path("runs/<str:run_id>/delete/", history_views_bin.run_delete, name="run-delete"),
    path("runs/<str:run_id>/restore/", history_views_bin.run_restore, name="run-restore"),
    path("files/<str:file_id>/fetch-again/", history_views_bin.file_fetch_again, name="file-fetch-again"),
]
reuse_urls = [
    path("compare/", views_compare.compare, name="compare"),
    path("runs/<str:run_id>/again/", views_again.run_again, name="run-again"),
    path("runs/<str:run_id>/rename/", views_again.run_rename, name="run-rename"),
    path("presets/new/", launching_views_presets.preset_new, name="preset-new"),
    path("presets/<str:preset_id>/", launching_views_presets.preset_edit, name="preset-edit"),
    path("presets/<str:preset_id>/delete/", launching_views_presets.preset_delete, name="preset-delete"),
    path("runs/<str:run_id>/star/", history_views_stars.run_star, name="run-star"),
    path("files/<str:file_id>/star/", history_views_stars.file_star, name="file-star"),
]
manage_urls = [
    path("manage/", views_manage.manage, name="manage"),
    path("manage/keeping/", views_keeping.manage_keeping, name="manage-keeping"),
    path("manage/people/", views_people.manage_people, name="manage-people"),
    path("manage/people/<str:member_id>/", views_people.manage_person, name="manage-person"),
    path("manage/people/<str:member_id>/new-password/", views_people.person_new_password, name="person-new-password"),
    path("manage/people/<str:member_id>/deactivate/", views_people.person_deactivate, name="person-deactivate"),
    path("manage/people/<str:member_id>/reactivate/", views_people.person_reactivate, name="person-reactivate"),
    path("manage/people/<str:member_id>/hand-over/", views_people.person_hand_over, name="person-hand-over"),
    path("manage/people/invites/<str:invite_id>/send/", views_people.invite_send, name="invite-send"),
    path("manage/people/invites/<str:invite_id>/revoke/", views_people.invite_revoke, name="invite-revoke"),
]
people_urls = [
    path("invite/<str:token>/", team_views_joining.invite, name="invite"),
    path("password/reset/", team_views_joining.password_reset, name="password-reset"),
    path("password/reset/<str:token>/", team_views_joining.password_new, name="password-new"),
    path("password/change/", team_views_me.password_change, name="password-change"),
    path("me/", team_views_me.me, name="me"),
    path("me/sessions/end-others/", team_views_me.session_end_others, name="session-end-others"),
    path("me/sessions/<str:place_id>/end/", team_views_me.session_end, name="session-end"),
]
file_urls = [
    path("files/<str:file_id>/", views_results.file_detail, name="file-detail"),
    path("files/<str:file_id>/use/", views_results.file_use, name="file-use"),
    path("files/<str:file_id>/text", results_views_downloads.file_text, name="file-text"),
    path("library/", launching_views_library.library, name="library"),
    path("download/", results_views_downloads.files_download, name="files-download"),
    path("files/<str:file_id>/original", results_views_files.file_original, name="file-original"),
    path("files/<str:file_id>/thumb/<int:width>", results_views_files.file_thumb, name="file-thumb"),
    path("uploads/", results_views_files.upload_create, name="upload-create"),
    path("uploads/<str:upload_id>/", results_views_files.upload_detail, name="upload-detail"),
]
share_urls = [
    path("runs/<str:run_id>/share/", views_sharing.run_share, name="run-share"),
    path("shares/", views_sharing.shares, name="shares"),
    path("shares/new/", views_sharing.share_new, name="share-new"),
    path("shares/<str:link_id>/", views_sharing.share_detail, name="share-detail"),
    path("shares/<str:link_id>/copies/", views_sharing.share_copies, name="share-copies"),
    path("shares/<str:link_id>/extend/", views_sharing.share_extend, name="share-extend"),
    path("shares/<str:link_id>/revoke/", views_sharing.share_revoke, name="share-revoke"),
    path("shares/<str:link_id>/restore/", views_sharing.share_restore, name="share-restore"),
    path("manage/sharing/", views_sharing.manage_sharing, name="manage-sharing"),
]
guest_urls = [
    path("s/<str:token>/", views_guests.guest, name="guest"),
    path("s/<str:token>/files/<str:file_id>/<str:variant>", views_guests.guest_file, name="guest-file"),
    path("s/<str:token>/preview.jpg", views_guests.guest_preview, name="guest-preview"),
    path("s/<str:token>/download/", views_guests.guest_download, name="guest-download"),
    path("s/<path:rest>", views_guests.guest_unknown, name="guest-unknown"),
]
urlpatterns = [
    path("", views_home.home, name="home"),
    path("help/keys/", views_help.help_keys, name="help-keys"),
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
