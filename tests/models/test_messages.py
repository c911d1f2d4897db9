"""Stored messages: codes and values come back unchanged, whatever a quoted sentence looks like."""

import pytest
from django.utils import translation

from runs.models import Incident, Upload
from runs.models.member import Member
from runs.models.messages import Message, fitted
from runs.words.messages import SENTENCES, say

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "message",
    [
        Message(),
        Message("too_slow"),
        Message("too_large_to_fetch", {"limit_bytes": 50_000_000}),
        Message(quote="Style is not one of the options."),
        Message(quote='{"code": "disk_full"}'),
        Message(quote="{"),
    ],
)
def test_a_message_comes_back_unchanged(message: Message, alice: Member) -> None:
    upload = Upload.objects.create(member=alice, status="failed", name="a", error=message)
    upload.refresh_from_db()
    assert upload.error == message
    assert Upload.objects.filter(error=message).exists()
    assert Upload.objects.exclude(error="").exists() == bool(message)


def test_a_sentence_of_an_older_version_is_quoted(alice: Member) -> None:
    upload = Upload.objects.create(member=alice, status="failed", name="a", error="It was too hot.")
    upload.refresh_from_db()
    assert say(upload.error) == "It was too hot."


def test_values_are_shown_as_people_read_them() -> None:
    assert "50 MB" in say(Message("too_large_to_fetch", {"limit_bytes": 50_000_000}))
    assert "a picture or a video" in say(Message("wrong_kind", {"wanted_kinds": "image video", "given_kind": "audio"}))
    reason = Message("not_there").to_stored()
    assert say(Message("not_there")) in say(Message("result_not_saved", {"run": "r1", "reason_message": reason}))
    assert "1,200 old files" in say(Message("many_strays", {"strays": 1200, "known": 3}))
    assert "1 old file that" in say(Message("many_strays", {"strays": 1, "known": 3}))


def test_a_code_of_another_version_breaks_nothing() -> None:
    assert say(Message("from_the_future", {"x": 1})) == "from_the_future"
    assert say(Message("too_large_to_fetch")) == "too_large_to_fetch"


def test_a_long_value_is_cut_but_the_sentence_stays() -> None:
    stored = fitted(Message("lamina_no_answer", {"endpoint": "e" * 900}), 300)
    assert len(stored) <= 300
    assert say(Message.from_stored(stored)).startswith("Lamina didn't respond")
    Incident.objects.create(kind="lamina", text=Message(quote="q" * 900))
    assert Incident.objects.get().text.quote.startswith("qqq")


def test_a_message_inside_a_message_is_cut_to_fit_and_can_still_be_said() -> None:
    reason = Message("chat_said", {"status": 400, "words": "w" * 160})
    outer = Message("chat_message_lost", {"app": "Microsoft Teams", "reason_message": reason.to_stored()})
    stored = fitted(outer, 200)
    assert len(stored) <= 200
    said = say(Message.from_stored(stored))
    assert said.startswith("A message couldn't be posted to Microsoft Teams. It responded with status 400: “www")
    assert "{" not in said


@pytest.mark.parametrize("code", SENTENCES)
def test_every_sentence_can_be_said(code: str) -> None:
    names = (
        "limit_bytes",
        "size_bytes",
        "limit",
        "days",
        "asked",
        "made",
        "strays",
        "known",
        "since_at",
        "status",
        "free_bytes",
    )
    texts = ["worker", "what", "endpoint", "run", "remote", "reason_message", "said", "choices", "name", "app", "words"]
    texts.append("field")
    values = dict.fromkeys(names, 7) | dict.fromkeys(texts, "x") | {"signal": "SIGKILL"}
    values |= dict.fromkeys(("used_credits", "limit_credits", "spent_credits", "left_credits"), 700)
    values |= {"of_month": "2026-11"}
    values |= {"wanted_kinds": "image", "given_kind": "other", "exit_code": 7}
    with translation.override("en"):
        sentence = say(Message(code, values))
    assert sentence != code
    assert "%(" not in sentence
