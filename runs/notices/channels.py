"""The team's channels in Slack and Teams: their addresses, what is posted to them, and when they are turned off.

Anyone who knows a channel's address can post there, so it is stored encrypted and never shown again; pages show only
its host.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from runs.audit.record import differences, record, values_of
from runs.background.incidents import record_incident
from runs.models import App, ChatChannel, ChatMessage, Incident, Run, Verb
from runs.models.messages import Message
from runs.models.run import RunQuerySet
from runs.notices.kinds import CHAT_LABELS
from runs.storage.guard import check_url
from runs.web.sealed_texts import SealedError, seal, sealed_again, unseal

PURPOSE = "chat-address"


def check_address(address: str) -> None:
    """Raise `FetchRefused` unless `address` uses https and its host could be public. Doesn't connect to it; the host's
    IP address is checked each time a message is sent."""
    check_url(address, settings.PORTAL_CHAT_ORIGINS)


@transaction.atomic
def set_channel(app: str, address: str, kinds: Collection[str], apps: Iterable[App], language: str) -> ChatChannel:
    """Save the settings of the channel in `app` (a value of `ChatChannel.App`). If `address` is empty, the current one
    is kept.

    A new address turns the channel on again. The kinds and apps also apply to messages that are waiting to be sent.
    """
    fields: dict[str, Any] = {
        "kinds": [str(kind) for kind in CHAT_LABELS if kind in kinds],
        "language": language,
        "changed_at": timezone.now(),
    }
    if address:
        fields |= {
            "sealed_address": seal(PURPOSE, address),
            "host": (urlsplit(address).hostname or "")[:255],
            "off_at": None,
            "error": Message(),
        }
    before = _told_of(ChatChannel.objects.filter(app=app).first())
    channel, _ = ChatChannel.objects.update_or_create(app=app, defaults=fields)
    channel.apps.set(apps)
    changes = differences(before, _told_of(channel)) | ({"address": ("", channel.host)} if address else {})
    record(Verb.CHAT_SET, channel, label=channel.get_app_display(), changes=changes)
    return channel


def _told_of(channel: ChatChannel | None) -> dict[str, Any]:
    """Return the channel's settings for the audit record, without its address and apps."""
    return values_of(channel, "kinds", "language", "host") if channel else {}


@transaction.atomic
def remove_channel(channel: ChatChannel) -> None:
    """Delete the channel, its address, and the messages that are waiting to be sent to it."""
    record(Verb.CHAT_REMOVED, channel, label=channel.get_app_display())
    channel.delete()


def address_of(channel: ChatChannel) -> str:
    """Return the address that the channel's messages are sent to. Raises `SealedError`."""
    return unseal(PURPOSE, channel.sealed_address)


def told_runs(channel: ChatChannel) -> RunQuerySet:
    """Return the runs that may be mentioned in the channel: those that the team can see, limited to the chosen apps, if
    any."""
    runs = Run.objects.filter(shared_at__isnull=False, deleted_at=None).exclude(is_example=True)
    apps = channel.apps.all()
    return runs.filter(app__in=apps) if apps.exists() else runs


@transaction.atomic
def switch_off(channel: ChatChannel, message: Message) -> None:
    """Stop posting to the channel, because its address no longer works; `message` says why. Tell the admins once.

    Does nothing if someone has set a new address in the meantime.
    """
    now = timezone.now()
    same = ChatChannel.objects.filter(pk=channel.pk, sealed_address=channel.sealed_address, off_at=None)
    if same.update(off_at=now, error=message):
        ChatMessage.objects.waiting().filter(channel=channel).update(given_up_at=now)
        record(Verb.CHAT_SWITCHED_OFF, channel, label=channel.get_app_display())
        record_incident("chat", Message("chat_off", {"app": channel.get_app_display()}))


def record_success(channel: ChatChannel) -> None:
    """Clear the channel's error and turn it back on, because the app accepted a message."""
    if channel.off_at or channel.error:
        ChatChannel.objects.filter(pk=channel.pk, sealed_address=channel.sealed_address).update(
            off_at=None, error=Message()
        )


def record_trouble(channel: ChatChannel, message: Message) -> None:
    """Record why a message wasn't accepted, so that the page can show the reason."""
    same = ChatChannel.objects.filter(pk=channel.pk, sealed_address=channel.sealed_address)
    same.exclude(error=message).update(error=message)


def tell_lost(channel: ChatChannel, message: Message) -> None:
    """Tell the admins that a message couldn't be sent, and why, at most once a day for each reason."""
    text = Message("chat_message_lost", {"app": channel.get_app_display(), "reason_message": message.to_stored()})
    lately = timezone.now() - timedelta(days=1)
    if not Incident.objects.filter(kind="chat", text=text, at__gt=lately).exists():
        record_incident("chat", text)


def seal_again() -> None:
    """Encrypt all addresses with the current secret key, so that the previous key can be removed."""
    for channel in ChatChannel.objects.all():
        try:
            sealed = sealed_again(PURPOSE, channel.sealed_address)
        except SealedError:
            switch_off(channel, Message("chat_address_unreadable"))
        else:
            same = ChatChannel.objects.filter(pk=channel.pk, sealed_address=channel.sealed_address)
            same.update(sealed_address=sealed)
