"""A chat channel's address is kept secret and may only point to a public host (N9)."""

import base64
import logging
import re
import socket
import zlib

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ, Task
from pytest_django import Settings
from urllib3.util import connection as urllib3_connection

from runs.models import ChatChannel, ChatMessage, Incident, Member
from runs.models.messages import Message
from runs.notices import channels, chat
from runs.notices.chat_delivery import hand_over
from runs.web.sealed_texts import SealedError, seal, unseal
from runs.words.messages import say
from tests.notices.chat_world import Event, set_channel
from tests.support.chat_receiver import SECRET, Receiver
from tests.support.factories import make_run
from tests.support.hostile_server import Decoy
from tests.support.hostile_urls import HOSTILE_URLS
from tests.support.second_lookup import PUBLIC, rebind

NEW_KEY, OLD_KEY = "a-new-key-of-the-portal-0123456789", "the-old-key-of-the-portal-98765432"


@pytest.mark.parametrize(("looks", "url"), HOSTILE_URLS, ids=[looks for looks, _ in HOSTILE_URLS])
def test_a_hostile_address_is_never_connected_to(
    looks: str, url: str, decoy: Decoy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_connection(*_: object, **__: object) -> socket.socket:
        raise AssertionError(f"{looks} led to a connection")

    monkeypatch.setattr(urllib3_connection, "create_connection", no_connection)
    outcome = hand_over(url.replace("{port}", str(decoy.port)), {})
    assert not outcome.is_taken
    assert say(outcome.message)
    assert not decoy.was_contacted()


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_to_a_private_address_is_refused(status: int, receiver: Receiver, decoy: Decoy) -> None:
    receiver.answer(status, Location=f"http://127.0.0.1:{decoy.port}/")
    outcome = hand_over(receiver.slack, {})
    assert (outcome.is_taken, outcome.may_retry) == (False, False)
    assert not decoy.was_contacted()


def test_a_name_that_changes_its_address_reaches_only_the_one_that_was_checked(
    decoy: Decoy, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = rebind(monkeypatch, decoy.port)
    assert hand_over(f"https://rebinding.example.com:{decoy.port}/{SECRET}", {}).may_retry
    assert asked == [(PUBLIC, decoy.port)]
    assert hand_over(f"https://rebinding.example.com:{decoy.port}/{SECRET}", {}).message == Message("chat_private")
    assert not decoy.was_contacted()


@pytest.mark.django_db
def test_the_address_is_stored_encrypted_and_shown_nowhere(
    as_admin: Client, alice: Member, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    as_admin.post("/manage/notices/chat/slack/", {"secret_address": receiver.slack, "kind": ["ready"]})
    run = make_run(alice, status="completed", shared_at=timezone.now())
    chat.post_event(Event("ready", "ended-1", run))
    receiver.answer(500, f"no {receiver.slack} and /services/{SECRET} and {SECRET.split('/')[2]}".encode())
    chat.CHAT.run()
    receiver.answer(404, receiver.slack.encode())
    tested = as_admin.post("/manage/notices/chat/slack/test/", follow=True)
    page = as_admin.get("/manage/notices/")
    health = as_admin.get("/manage/")
    with connection.cursor() as cursor:
        cursor.execute("select * from runs_chatchannel")
        stored = str(cursor.fetchall())
    tasks = [*Task.objects.values(), *OrmQ.objects.values(), *ChatMessage.objects.values(), *Incident.objects.values()]
    everywhere = [stored, caplog.text, str(tasks), *(answer.content.decode() for answer in (tested, page, health))]
    assert "127.0.0.1" in page.content.decode()
    assert "•••" in tested.content.decode()
    for text in everywhere:
        for part in SECRET.split("/"):
            assert part not in text
            assert base64.b64encode(part.encode()).decode() not in text


@pytest.mark.django_db
def test_an_address_that_is_refused_is_not_shown_again(as_admin: Client) -> None:
    answer = as_admin.post("/manage/notices/chat/slack/", {"secret_address": f"http://10.0.0.1/{SECRET}"})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert "xyzzy" not in answer.content.decode()
    assert not ChatChannel.objects.exists()


@pytest.mark.django_db
def test_an_expired_session_keeps_no_address(receiver: Receiver) -> None:
    answer = Client().post("/manage/notices/chat/slack/", {"secret_address": receiver.slack, "language": "de"})
    replay = re.search(r'name="replay"[^>]*value="([^"]+)"', answer.content.decode())
    assert replay is not None
    packed = replay[1].split(":")[0].lstrip(".")
    data = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
    text = (zlib.decompress(data) if replay[1].startswith(".") else data).decode()
    assert "language" in text
    assert "xyzzy" not in text


def test_what_is_sealed_opens_with_the_keys_of_the_portal_only(settings: Settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLD_KEY, []
    sealed = seal("one", "https://example.com/")
    assert "example" not in sealed
    assert unseal("one", sealed) == "https://example.com/"
    with pytest.raises(SealedError):
        unseal("another", sealed)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW_KEY, [OLD_KEY]
    assert unseal("one", sealed) == "https://example.com/"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(SealedError):
        unseal("one", sealed)


@pytest.mark.django_db
def test_a_new_secret_key_keeps_the_address(settings: Settings) -> None:
    settings.SECRET_KEY = OLD_KEY
    channel = set_channel("slack", "https://hooks.slack.com/services/x")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW_KEY, [OLD_KEY]
    channels.seal_again()
    settings.SECRET_KEY_FALLBACKS = []
    channel.refresh_from_db()
    assert channels.address_of(channel) == "https://hooks.slack.com/services/x"
    settings.SECRET_KEY = OLD_KEY  # as if the new key had been lost
    channels.seal_again()
    channel.refresh_from_db()
    assert channel.off_at is not None
    assert "Paste it again" in say(channel.error)
    assert Incident.objects.count() == 1
