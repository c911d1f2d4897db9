"""Admin pages for Slack and Teams: where messages are posted, which events they cover, and a button to send a test."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.db.models import Max
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from runs.models import App, ChatChannel
from runs.notices import channels, chat
from runs.notices.forms_chat import ChannelForm, apps_to_choose
from runs.notices.kinds import CHAT_LABELS, KINDS
from runs.team import mail
from runs.team.reauthentication import FIELD, recent_password_required
from runs.web.http import PortalRequest, admins_only, go_to, render_page
from runs.words.messages import say


@dataclass(frozen=True)
class ChannelCard:
    """A channel as the page shows it; `channel` is None if it hasn't been set up. `error` says what is wrong with the
    address."""

    app: str
    label: str
    channel: ChatChannel | None
    kinds: list[tuple[str, str, bool]]  # for each kind: its value, its label, and whether it is ticked
    apps: list[tuple[App, bool]]
    language: str
    last_sent_at: datetime | None
    error: str = ""

    @property
    def is_limited(self) -> bool:
        """Whether the channel is limited to some apps."""
        return any(is_chosen for _app, is_chosen in self.apps)


@require_safe
@never_cache
@admins_only
def manage_notices(request: PortalRequest) -> HttpResponse:
    return _page(request)


def _page(request: PortalRequest, form: ChannelForm | None = None, app: str = "") -> HttpResponse:
    """Show both channels and, if an invalid `form` was posted for one of them, what is wrong with it."""
    by_app = {channel.app: channel for channel in ChatChannel.objects.annotate(last_sent_at=Max("messages__sent_at"))}
    cards = [
        _card(value, label, by_app.get(value), form if value == app else None)
        for value, label in ChatChannel.App.choices
    ]
    context = {"section": "manage", "cards": cards, "languages": settings.LANGUAGES, "has_mail": mail.is_set_up()}
    return render_page(request, "notices/manage_notices.html", context, status=422 if form else 200)


def _card(app: str, label: str, channel: ChatChannel | None, form: ChannelForm | None) -> ChannelCard:
    defaults = [kind for kind in CHAT_LABELS if KINDS[kind].is_chat_default]
    ticked = form.cleaned_data["kind"] if form else channel.kinds if channel else defaults
    return ChannelCard(
        app,
        label,
        channel,
        [(str(kind), str(words), kind in ticked) for kind, words in CHAT_LABELS.items()],
        apps_to_choose(channel),
        (channel.language if channel else "") or get_language() or settings.LANGUAGE_CODE,
        getattr(channel, "last_sent_at", None),
        str(form.errors["secret_address"][0]) if form else "",
    )


def _find(app: str) -> ChatChannel | None:
    """Return the channel in `app`; None if there is none. Raises Http404 for an unknown app."""
    if app not in ChatChannel.App.values:
        raise Http404
    return ChatChannel.objects.filter(app=app).first()


def _channel(app: str) -> ChatChannel:
    channel = _find(app)
    if channel is None:
        raise Http404
    return channel


def _back(request: PortalRequest, app: str) -> HttpResponse:
    return go_to(request, f"{reverse('runs:manage-notices')}#{app}")


@require_POST
@admins_only
@recent_password_required
@sensitive_post_parameters("secret_address", FIELD)
@sensitive_variables("form")
def chat_set(request: PortalRequest, app: str) -> HttpResponse:
    """Set a channel's address and what gets posted there."""
    form = ChannelForm(_find(app), request.POST)
    if not form.is_valid():
        return _page(request, form, app)
    data = form.cleaned_data
    channels.set_channel(app, data["secret_address"], data["kind"], form.chosen_apps(), data["language"])
    is_new = bool(data["secret_address"])
    messages.success(request, _("Saved. Send a test message to see whether it arrives.") if is_new else _("Saved."))
    return _back(request, app)


@require_POST
@admins_only
def chat_test(request: PortalRequest, app: str) -> HttpResponse:
    """Send a test message, and show what the app said if it refused the message."""
    channel = _channel(app)
    problem = chat.send_trial(channel, request.user)
    values = {"app": channel.get_app_display(), "reason": say(problem)}
    if problem:
        messages.error(request, _("%(app)s didn't accept the test message. %(reason)s") % values)
    else:
        messages.success(request, _("%(app)s accepted the test message.") % values)
    return _back(request, app)


@require_POST
@admins_only
@recent_password_required
def chat_remove(request: PortalRequest, app: str) -> HttpResponse:
    """Delete a channel and its address."""
    channel = _channel(app)
    channels.remove_channel(channel)
    messages.success(request, _("%(app)s was removed.") % {"app": channel.get_app_display()})
    return _back(request, app)
