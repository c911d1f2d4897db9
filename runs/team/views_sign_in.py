"""Signing in. Guessing is slowed down, errors don't say which part was wrong, and a form that someone was sending isn't
lost.

If a form is posted after the session has expired, the sign-in page carries it along in a signed hidden field, `replay`.
After signing in, the person can send the form again; this never happens automatically.
"""

from datetime import timedelta
from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.contrib.auth.views import LoginView, LogoutView
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import gettext_noop

from runs.models import SharingRules
from runs.team import security_mail, sessions
from runs.team.forms import ReplayForm
from runs.web import demo_accounts, session_lifetime, throttling
from runs.web.body_limits import SMALL_BYTES

Pairs = list[tuple[str, str]]
SECRET_FIELDS = ("password", "secret")  # fields with these words in their name are never kept

WRONG = gettext_noop("Wrong email address or password. Check both and try again.")

REPLAY_SALT = "portal.replay"
REPLAY_MAX_BYTES = 200_000
REPLAY_MAX_BYTES_OF_STRANGERS = SMALL_BYTES - 4096  # strangers post it back in a form of at most SMALL_BYTES
REPLAY_MAX_AGE = timedelta(days=1)


class Replay(NamedTuple):
    """A form that can be sent again. `lacks_files` means that some of its files couldn't be saved, `keeps_files` that
    some were."""

    path: str
    pairs: Pairs
    lacks_files: bool = False
    keeps_files: bool = False


class SignInForm(AuthenticationForm):
    """Email address and password.

    Each attempt is counted before the password is checked, so that simultaneous attempts can't slip through. If the
    attempt succeeds, it's taken off the count.
    """

    username = UsernameField(label=_lazy("Email address"), widget=forms.EmailInput(attrs={"autofocus": True}))
    error_messages = {"invalid_login": _lazy(WRONG), "inactive": _lazy(WRONG)}  # noqa: RUF012 - as Django declares it

    def clean(self) -> dict[str, Any]:
        email = str(self.cleaned_data.get("username", "")).strip().lower()
        if not email or not self.cleaned_data.get("password"):
            return self.cleaned_data
        if demo_accounts.is_shut_out(self.request, email):  # not counted as an attempt, because this isn't guessing
            raise forms.ValidationError(_(demo_accounts.REFUSED), code="demo")
        try:
            attempt = throttling.Attempt(throttling.sign_in_limits(self.request, email))
        except throttling.TooManyError:
            raise forms.ValidationError(_(throttling.SENTENCE), code="too_many") from None
        try:
            cleaned: dict[str, Any] = super().clean()
        except forms.ValidationError:  # the attempt still counts
            sessions.record_refused(email, attempt)
            raise
        attempt.forgive_first()
        return cleaned


class SignInView(LoginView):
    """The sign-in page. With `replay`, signing in leads to a page for resending the form."""

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST" and request.user.is_authenticated and (answer := self._resume()):
            return answer  # they have already signed in, in another tab
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        replay = ReplayForm.read(self.request.POST)["replay"]
        demo = {"demo_people": demo_accounts.demo_members(self.request), "demo_password": demo_accounts.DEMO_PASSWORD}
        page = {"replay": replay, "is_expired": bool(replay), "rules": SharingRules.current()}
        return super().get_context_data(**kwargs) | page | demo

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        to_home = super().form_valid(form)
        response = self._resume() or to_home
        email = form.get_user().get_username()
        if not throttling.knows_browser(self.request, email):
            security_mail.tell_of_browser(self.request, form.get_user())
        throttling.remember_address(self.request, email)
        throttling.remember_device(self.request, response, email)
        return response

    def _resume(self) -> HttpResponse | None:
        """Return the page that offers to resend the saved values; None if there are none."""
        replay = read_replay(ReplayForm.read(self.request.POST)["replay"])
        if replay is None:
            return None
        context = {
            "action": replay.path,
            "fields": replay.pairs,
            "lacks_files": replay.lacks_files,
            "keeps_files": replay.keeps_files,
            "label": _("Send it again"),
        }
        return render(self.request, "team/resume.html", context)


class SignOutView(LogoutView):
    """Signs the person out, and makes the browser clear its cached pages and images (only over https or on
    localhost)."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response


def ask_and_keep(request: HttpRequest) -> HttpResponse:
    """When someone who is no longer signed in posts a form, respond with the sign-in page, which carries the posted
    values along.

    The status is 200, so that password managers fill in the form and no proxy replaces the page with one of its own.
    """
    most = REPLAY_MAX_BYTES if session_lifetime.has_just_run_out(request) else REPLAY_MAX_BYTES_OF_STRANGERS
    files = _file_pairs(request)
    lacks_files = len(files) < sum(len(uploads) for _name, uploads in request.FILES.lists())
    form = Replay(request.get_full_path(), [*_posted_pairs(request), *files], lacks_files, bool(files))
    replay = make_replay(form, most)
    context = {
        "form": SignInForm(request),
        "next": "" if replay else request.path,
        "replay": replay,
        "is_expired": True,
        "lacks_files": lacks_files,
        "keeps_files": bool(files),
        "is_lost": not replay,  # too long to carry along; the draft on the server still has it
    }
    response = render(request, "registration/login.html", context)
    response["Cache-Control"] = "no-store"
    return response


def make_replay(form: Replay, most: int = REPLAY_MAX_BYTES) -> str:
    """Return `form` as signed text for a hidden field; "" if that is longer than `most` bytes."""
    if sum(len(name) + len(value) for name, value in form.pairs) > 10 * most:
        return ""
    replay = signing.dumps(form._asdict(), salt=REPLAY_SALT, compress=True)
    return replay if len(replay) <= most else ""


def read_replay(replay: str) -> Replay | None:
    """Return the form that `make_replay` signed; None if it is forged, is older than a day, or leads to another
    site."""
    if not replay:
        return None
    try:
        content = signing.loads(replay, salt=REPLAY_SALT, max_age=REPLAY_MAX_AGE)
    except signing.BadSignature:
        return None
    path = str(content["path"])
    if not (path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)):
        return None
    pairs = [(str(name), str(value)) for name, value in content["pairs"]]
    return Replay(path, pairs, bool(content.get("lacks_files")), bool(content.get("keeps_files")))


def _posted_pairs(request: HttpRequest) -> Pairs:
    """Return the posted fields in order, but without the old session's CSRF token, passwords and other secrets."""
    return [
        (name, str(value))
        for name, values in request.POST.lists()
        if name != "csrfmiddlewaretoken" and not any(word in name.lower() for word in SECRET_FIELDS)
        for value in values
    ]


def _file_pairs(request: HttpRequest) -> Pairs:
    """Return fields that replace the posted files. The function named in EXPIRED_FILES_KEEPER, if any, saves the
    files."""
    keeper = getattr(settings, "EXPIRED_FILES_KEEPER", "")
    if not keeper or not request.FILES:
        return []
    pairs: Pairs = import_string(keeper)(request)
    return pairs
