"""The page where admins set up channels in Slack and Teams (N14)."""

import html
import re
from typing import Any

import pytest
from django.test import Client

from runs.models import ChatChannel, Member
from runs.notices import channels
from tests.notices.chat_world import set_channel, texts, url_of
from tests.support.chat_receiver import Receiver
from tests.support.factories import make_app, make_run
from tests.support.html import flat

pytestmark = pytest.mark.django_db
PAGE = "/manage/notices/"


def words_of(answer: Any) -> str:
    return html.unescape(flat(answer.content))


def test_an_admin_sets_a_channel_replaces_its_address_and_removes_it(
    as_admin: Client, alice: Member, receiver: Receiver
) -> None:
    app = make_run(alice, make_app("Poster")).app
    page = as_admin.get(PAGE).content.decode()
    assert "Poster" in page
    assert "Messages go to" not in page
    form = {"secret_address": receiver.slack, "kind": ["ready", "nonsense"], "app": app.public_id, "language": "de"}
    answer = as_admin.post(f"{PAGE}chat/slack/", form, follow=True)
    assert "Saved. Send a test message" in answer.content.decode()
    channel = ChatChannel.objects.get()
    assert (channel.app, channel.host, channel.kinds, channel.language) == ("slack", "127.0.0.1", ["ready"], "de")
    assert list(channel.apps.all()) == [app]

    as_admin.post(f"{PAGE}chat/slack/", {"kind": ["failed"], "language": "zz"})  # this form didn't list the app
    channel.refresh_from_db()
    assert channels.address_of(channel) == receiver.slack
    assert (channel.kinds, channel.language, channel.apps.count()) == (["failed"], "en", 1)
    as_admin.post(f"{PAGE}chat/slack/", {"secret_address": receiver.teams, "on": app.public_id})
    channel.refresh_from_db()
    assert channels.address_of(channel) == receiver.teams
    assert channel.apps.count() == 0

    answer = as_admin.post(f"{PAGE}chat/slack/remove/", follow=True)
    assert "Slack was removed" in answer.content.decode()
    assert not ChatChannel.objects.exists()
    assert as_admin.post(f"{PAGE}chat/slack/remove/").status_code == 404
    assert as_admin.post(f"{PAGE}chat/other/", {}).status_code == 404


@pytest.mark.parametrize(
    "typed", ["", "hello", "http://hooks.slack.com/x", "https://10.0.0.1/x", "https://localhost/x", "ftp://x.test/"]
)
def test_an_address_must_be_https_and_public(typed: str, as_admin: Client) -> None:
    answer = as_admin.post(f"{PAGE}chat/teams/", {"secret_address": typed, "kind": ["reply"]})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert page.count('aria-invalid="true"') == 1
    assert page.index('aria-invalid="true"') > page.index('id="teams"')
    assert not ChatChannel.objects.exists()


@pytest.mark.parametrize("app", ["slack", "teams"])
def test_the_test_button_sends_one_message_and_shows_the_far_sides_words(
    app: str, as_admin: Client, receiver: Receiver
) -> None:
    set_channel(app, getattr(receiver, app))
    answer = as_admin.post(f"{PAGE}chat/{app}/test/", follow=True)
    assert "accepted the test message" in words_of(answer)
    assert len(receiver.taken) == 1
    assert texts(receiver.taken[0])[0] == "Test message from Lamina Portal"
    assert "Ada" in texts(receiver.taken[0])
    assert url_of(receiver.taken[0]) == "http://127.0.0.1:8000/"

    receiver.answer(403, b"<b>action_prohibited</b>\r\nby your admin")
    answer = as_admin.post(f"{PAGE}chat/{app}/test/", follow=True)
    assert "didn't accept the test message" in words_of(answer)
    assert "&lt;b&gt;action_prohibited&lt;/b&gt; by your admin" in answer.content.decode()
    receiver.answer(404, b"no_service")
    assert "Off since" in words_of(as_admin.post(f"{PAGE}chat/{app}/test/", follow=True))
    assert "Off since" not in words_of(as_admin.post(f"{PAGE}chat/{app}/test/", follow=True))


def test_a_server_that_is_not_there_is_named_as_such(as_admin: Client, receiver: Receiver) -> None:
    set_channel("slack", receiver.slack)
    receiver.shutdown()
    receiver.server_close()
    answer = as_admin.post(f"{PAGE}chat/slack/test/", follow=True)
    assert "couldn't be reached" in words_of(answer)


def test_every_form_of_the_page_can_be_sent(admin_member: Member, receiver: Receiver) -> None:
    set_channel("slack", receiver.slack)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(admin_member)
    page = flat(strict.get(PAGE).content)
    forms = re.findall(r'<form[^>]*method="post" action="(/manage/notices/chat/[^"]+)"[^>]*>(.*?)</form>', page)
    assert {path for path, _ in forms} == {
        f"{PAGE}chat/{end}" for end in ("slack/", "slack/test/", "slack/remove/", "teams/")
    }
    for path, inside in forms:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', inside)
        assert token is not None, path
        data = {"csrfmiddlewaretoken": token[1], "secret_address": receiver.teams}
        assert strict.post(path, data).status_code == 302
