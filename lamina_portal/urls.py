"""The root URLs: sign-in, health, and the portal itself."""

from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.utils.module_loading import import_string

handler400 = "runs.web.error_page.bad_request"
handler404 = "runs.web.error_page.page_not_found"
handler500 = "runs.web.error_page.page_broke"
urlpatterns = [
    path("login/", login_not_required(import_string("runs.team.views_sign_in.SignInView").as_view()), name="login"),
    # Signing out works even if the session has expired
    path("logout/", login_not_required(import_string("runs.team.views_sign_in.SignOutView").as_view()), name="logout"),
    path("healthz", import_string("runs.manage.views_healthz.healthz"), name="healthz"),
    path("", include("runs.urls")),
]
