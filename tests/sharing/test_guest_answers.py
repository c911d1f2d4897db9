"""Guests' answers (D6, D7): guests are asked for their name only once, can change their answers, and never lose
anything they typed."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.utils import timezone

from runs.models import Decision, GuestLink, Member, Output, Run, SharingRules
from runs.review import requests
from runs.sharing import guest_fields, guests, links
from tests.sharing.guest_visit import GuestVisit, text_in, visit
from tests.support.factories import make_run
from tests.support.guest_links import addresses_of, path_of
from tests.support.page import Page

pytestmark = pytest.mark.django_db
TOO_LONG = "x" * 5_000


@pytest.fixture(autouse=True)
def _hashed(run: Run) -> None:
    for output in run.outputs.all():
        Output.objects.filter(pk=output.pk).update(content_hash=f"{output.pk:064x}")


@pytest.fixture
def asking(link: GuestLink) -> GuestLink:
    """A guest link to a picture and some text that lets guests decide on them."""
    GuestLink.objects.filter(pk=link.pk).update(lets_decide=True)
    link.refresh_from_db()
    return link


def named(link: GuestLink, name: str = "Kim") -> GuestVisit:
    """Return the visit of a guest who has approved the first result under the name `name`."""
    return visit(link).press("approve", "r1").press("", name=name)


def text_output(run: Run, position: int, **fields: Any) -> Output:
    given = {"label": f"Text {position}", "kind": "text", "text": "Words", "status": "completed"}
    return Output(run=run, position=position, content_hash=f"{position:064x}", **given, **fields)


def decided() -> list[tuple[str, str, str]]:
    rows = Decision.objects.filter(act="decide", is_standing=True).order_by("output__position", "guest_key")
    return [(row.guest_name, row.verdict, row.note) for row in rows]


# --- The usual way ----------------------------------------------------------------------------------------------------
def test_nothing_can_be_answered_unless_the_maker_lets_guests_decide(link: GuestLink) -> None:
    assert not visit(link).page.root.find("button")
    answer = Client().post(f"{path_of(link)}decide/", {"approve": link.outputs.all()[0].public_id})
    assert answer.status_code == 403
    assert decided() == []


def test_a_guest_gives_their_name_once_and_answers_everything(asking: GuestLink) -> None:
    kim = visit(asking)
    assert "Alice is asking for your decision" in kim.words
    assert "Please respond by" not in kim.words
    requests.ask(asking.member, list(asking.outputs.all()), due_on=date(2099, 3, 5), link=asking)
    kim.reload()
    assert "Please respond by 5 March 2099." in kim.words
    kim.press("approve", "r1")
    assert "What's your name?" in kim.words
    assert decided() == []
    kim.press("", name="  Kim\n Lee ")
    assert kim.at.endswith("#r1")
    assert "You're answering as Kim Lee. " in kim.words
    assert "1 of 2 answered" in kim.words
    thanks = kim.box("r1").first("div", css="guest-answer").words
    assert thanks.startswith("You approved this")
    assert "Thank you, Kim Lee. Alice can now see your answer. You can change it until" in thanks
    assert kim.box("r1").first("a").attributes["href"] == "#r2"
    assert "Thank you" not in kim.box("r2").words

    kim.type("r2", "Shorter,\nplease").press("changes", "r2")

    assert "You asked for changes" in kim.box("r2").words
    assert kim.box("r2").first("blockquote").text == "Shorter,\nplease"
    assert len(kim.page.root.find("div", css="guest-done")) == 2  # below the heading, and after the last result
    assert "You've answered all 2 results" in kim.words
    assert decided() == [("Kim Lee", "approved", ""), ("Kim Lee", "changes", "Shorter,\nplease")]
    assert not kim.client.cookies


def test_an_answer_can_be_changed_until_the_link_ends(asking: GuestLink) -> None:
    kim = named(asking)
    kim.type("r1", "Too dark").press("changes", "r1")
    assert decided() == [("Kim", "changes", "Too dark")]
    code = kim.box("r1").first("code", css="guest-code").text
    back = visit(asking)  # days later, Kim opens the link again, and the page doesn't know Kim
    assert "You're answering as" not in back.words
    assert "Too dark" not in back.words
    back.enter_code(f" {code.upper()}")
    assert "Too dark" in back.box("r1").words
    back.press("approve", "r1")
    assert [(name, verdict) for name, verdict, _ in decided()] == [("Kim", "approved")]
    assert Decision.objects.count() == 3  # no decision was deleted


def test_two_guests_answer_apart_and_do_not_see_each_other(asking: GuestLink) -> None:
    named(asking).type("r1", "Secret of Kim").press("changes", "r1")
    lee = named(asking, "Lee")
    assert "Kim" not in lee.answer.text
    assert [(name, verdict) for name, verdict, _ in decided()] == [("Kim", "changes"), ("Lee", "approved")]
    assert "1 of 2 answered" in lee.words


def test_a_double_press_counts_once(asking: GuestLink) -> None:
    kim = named(asking)
    (button,) = (b for b in kim.box("r2").find("button") if b.attributes["name"] == "approve")
    to, sent = kim.sent_by(button)
    kim.send(to, sent)
    kim.send(to, sent)
    assert Decision.objects.filter(output__position=1).count() == 1


def test_answers_lead_back_to_the_same_page_of_many(alice: Member) -> None:
    run = make_run(alice, status="completed")
    run.outputs.all().delete()
    total = guests.PER_PAGE + 3
    Output.objects.bulk_create(text_output(run, n) for n in range(total))
    link = links.make_link(alice, list(run.outputs.all()))
    GuestLink.objects.filter(pk=link.pk).update(lets_decide=True)
    kim = visit(link).press_value("to", "2")

    kim.press("approve", "r50").press("", name="Kim")

    assert kim.at.endswith("#r50")
    assert "You approved this" in kim.box("r50").words
    assert f"1 of {total} answered" in kim.words
    kim.type("r51", "Typed words").press_value("to", "1")
    assert "You're answering as Kim" in kim.words
    assert kim.texts()[0] == "Typed words"


# --- Names ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["", "   ", "\u200b \u200b", "\u3164", "\u202e", "...", TOO_LONG])
def test_a_name_that_nobody_could_read_is_asked_for_again(asking: GuestLink, name: str) -> None:
    kim = visit(asking).type("r1", "Typed words").press("changes", "r1").press("", name=name)
    assert kim.status == 422
    assert kim.page.first("div", css="notice")
    assert decided() == []
    kim.press("", name="Kim")
    assert decided() == [("Kim", "changes", "Typed words")]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("קים לוי", "קים לוי"),
        ("\u202eKim\u2066", "Kim"),
        ("نرگس\u200cگل", "نرگس\u200cگل"),
        ("Kim\r\nLee", "Kim Lee"),
        ("x" * 100, "x" * 100),
    ],
)
def test_a_name_is_shown_as_typed_but_changes_nothing_around_it(
    asking: GuestLink, as_alice: Client, typed: str, shown: str
) -> None:
    kim = named(asking, typed)
    assert decided() == [(shown, "approved", "")]
    assert "<script" not in kim.answer.text
    assert shown in [bdi.text for bdi in kim.page.root.find("bdi")]


def test_the_name_page_leads_back_without_losing_a_word(asking: GuestLink) -> None:
    kim = visit(asking).type("r1", "First").type("r2", "Second").press("changes", "r2").press("back", name="Ki")
    assert kim.texts() == ["First", "Second"]
    assert decided() == []


# --- Fields and links -------------------------------------------------------------------------------------------------
def test_a_field_of_one_link_is_refused_at_another(asking: GuestLink, run: Run, alice: Member) -> None:
    other = links.make_link(alice, list(run.outputs.all()))
    GuestLink.objects.update(lets_decide=True)
    kim = named(other)
    theirs = visit(asking)
    for foreign in ("n", "opened"):
        fields = {field.attributes["name"]: field.attributes["value"] for field in kim.page.root.find("input")}
        theirs.open(path_of(asking))
        (button,) = (b for b in theirs.box("r1").find("button") if b.attributes["name"] == "approve")
        to, sent = theirs.sent_by(button)
        theirs.send(to, sent | {foreign: fields[foreign]})
        assert theirs.status == 403
    assert not Decision.objects.filter(link=asking).exists()
    assert "You're answering as" not in theirs.open(f"{path_of(asking)}?n={fields['n']}").words


@pytest.mark.parametrize("name", ["opened", "n"])
def test_a_forged_or_missing_field_is_refused_and_typed_words_stay(asking: GuestLink, name: str) -> None:
    kim = named(asking).type("r2", "Typed words")
    kim.press("changes", "r2", **{name: "forged"})
    assert kim.status == 403
    assert kim.texts("r2")[0] == "Typed words"
    assert len(decided()) == 1


def test_a_page_that_was_open_for_too_long_is_shown_anew(asking: GuestLink, monkeypatch: pytest.MonkeyPatch) -> None:
    kim = named(asking).type("r2", "Typed words")
    monkeypatch.setattr(guest_fields, "PAGE_AGE", timedelta(seconds=-1))
    kim.press("changes", "r2")
    assert "open too long" in kim.words
    monkeypatch.undo()
    kim.press("changes", "r2")
    assert decided()[1] == ("Kim", "changes", "Typed words")


def test_the_passphrase_is_carried_on_and_asked_again_only_when_it_changed(asking: GuestLink) -> None:
    GuestLink.objects.filter(pk=asking.pk).update(passphrase=make_password("open sesame"))
    kim = visit(asking)
    kim.press("", passphrase="open sesame")
    kim.press("approve", "r1").press("", name="Kim")
    assert decided() == [("Kim", "approved", "")]
    GuestLink.objects.filter(pk=asking.pk).update(passphrase=make_password("green apples"))

    kim.type("r2", "Typed words").press("changes", "r2")

    assert kim.status == 403
    assert "What's the passphrase?" in kim.words
    assert len(decided()) == 1
    kim.press("", passphrase="wrong")
    kim.press("", passphrase="green apples")
    assert decided()[1] == ("Kim", "changes", "Typed words")
    assert kim.status == 200
    assert "You asked for changes" in kim.box("r2").words


# --- What may happen between opening and sending ----------------------------------------------------------------------
def test_a_link_that_ends_meanwhile_gives_back_every_word(asking: GuestLink, alice: Member) -> None:
    def close(how: str) -> None:
        if how == "revoked":
            links.revoke(asking, alice)
        elif how == "off":
            SharingRules.objects.create(guests_allowed=False)
        else:
            GuestLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1), revoked_at=None)

    for how, words in (("revoked", "was revoked"), ("expired", "has expired"), ("off", "Closed to guests")):
        GuestLink.objects.update(revoked_at=None, revoked_by=None, expires_at=timezone.now() + timedelta(days=1))
        kim = visit(asking).type("r1", "First <b>words</b>").type("r2", "Second words")
        close(how)
        kim.press("changes", "r2")
        assert kim.status == 410
        assert words in kim.page.first("h1").words
        assert kim.texts() == ["Second words", "First <b>words</b>"]
        assert not kim.page.root.find("button")
    assert not Decision.objects.exists()


def test_a_link_revoked_in_the_same_moment_records_nothing(
    asking: GuestLink, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link is checked again, under a lock, when the answer is recorded."""
    kim = named(asking).type("r2", "Typed words")
    check = guests.record_answer
    monkeypatch.setattr(guests, "record_answer", lambda *given: links.revoke(asking, alice) and check(*given))
    kim.press("changes", "r2")
    assert kim.status == 410
    assert kim.texts()[0] == "Typed words"
    assert len(decided()) == 1


def test_a_result_that_is_no_longer_shown_gives_back_the_words(asking: GuestLink) -> None:
    kim = named(asking).type("r2", "Typed words")
    asking.chosen.filter(output__position=1).delete()
    kim.press("changes", "r2")
    assert kim.status == 410
    assert text_in(kim.page.first("div", css="guest-unsent").first("textarea")) == "Typed words"


def test_answers_turned_off_meanwhile_give_back_the_words(asking: GuestLink) -> None:
    kim = named(asking).type("r2", "Typed words")
    GuestLink.objects.update(lets_decide=False)
    kim.press("changes", "r2")
    assert kim.status == 422
    assert "turned off answers" in kim.words
    assert text_in(kim.page.first("div", css="guest-unsent").first("textarea")) == "Typed words"
    assert len(decided()) == 1


def test_a_result_with_other_content_is_looked_at_again(asking: GuestLink) -> None:
    kim = named(asking)
    Output.objects.filter(position=1).update(content_hash="f" * 64)
    kim.press("approve", "r2")
    assert kim.status == 422
    assert "has changed since you opened the page" in kim.box("r2").words
    kim.press("approve", "r2")
    assert len(decided()) == 2


def test_a_newer_version_is_not_answered_through_the_old_one(asking: GuestLink, run: Run) -> None:
    kim = named(asking).type("r2", "Typed words")
    old = run.outputs.get(position=1)
    text_output(run, 2, line=old, number=2).save()
    kim.press("changes", "r2")
    assert kim.status == 422
    assert "There is a newer version" in kim.box("r2").words
    assert kim.texts("r2")[0] == "Typed words"
    assert not kim.box("r2").find("button")
    assert len(decided()) == 1


@pytest.mark.parametrize(("note", "words"), [("", "Say what needs changing"), ("y" * 501, "has 501 characters")])
def test_a_note_that_does_not_do_is_said_at_its_result(asking: GuestLink, note: str, words: str) -> None:
    kim = visit(asking).type("r1", "Typed words").type("r2", note).press("changes", "r2")
    assert kim.status == 422
    assert words in kim.box("r2").first("div", css="notice").words
    assert kim.texts() == ["Typed words", note]
    assert decided() == []


def test_words_at_other_results_are_kept_when_one_is_answered(asking: GuestLink) -> None:
    kim = visit(asking).type("r1", "Not sent yet").press("approve", "r2").press("", name="Kim")
    assert decided() == [("Kim", "approved", "")]
    assert kim.status == 200
    assert "Thank you, Kim" in kim.box("r2").words
    assert kim.texts("r1")[0] == "Not sent yet"
    kim.press("changes", "r1")
    assert decided()[0] == ("Kim", "changes", "Not sent yet")


def test_too_many_answers_have_to_wait(asking: GuestLink, monkeypatch: pytest.MonkeyPatch) -> None:
    kim = named(asking).type("r2", "Typed words")
    monkeypatch.setattr(guests, "MAX_ANSWERS", 1)
    kim.press("changes", "r2")
    assert kim.status == 429
    assert kim.texts()[0] == "Typed words"
    assert len(decided()) == 1


def test_a_page_never_refreshes_while_a_guest_may_be_typing(link: GuestLink) -> None:
    GuestLink.objects.update(may_download=True)
    assert "Refresh" in visit(link).answer.headers
    GuestLink.objects.update(lets_decide=True)
    assert "Refresh" not in visit(link).answer.headers


# --- Robots -----------------------------------------------------------------------------------------------------------
def test_whoever_only_opens_addresses_decides_nothing(asking: GuestLink) -> None:
    """Mail scanners open every link in an email several times, and follow the links they find there."""
    kim = named(asking)
    page = Page(kim.answer.text).root
    found = {e.attributes.get(name, "") for e in page.walk() for name in ("href", "action", "formaction", "src")}
    paths = {path.partition("#")[0] for path in found if path.startswith("/s/")} | set(addresses_of(asking))
    result = asking.outputs.all()[1].public_id
    paths |= {f"{path_of(asking)}decide/", f"{path_of(asking)}decide/?changes={result}&approve={result}&name=Bot"}
    before = (Decision.objects.count(), GuestLink.objects.get().views, GuestLink.objects.get().viewed_at)
    assert len(paths) > 8
    for _ in range(3):
        for path in paths:
            for method in (Client().get, Client().head):
                method(path, headers={"User-Agent": "Mozilla/5.0 (compatible; SafeLinks-Scanner/1.0)"})
                method(path, headers={"User-Agent": "Mozilla/5.0 Chrome/140", "Sec-Purpose": "prefetch"})
    assert (Decision.objects.count(), GuestLink.objects.get().views, GuestLink.objects.get().viewed_at) == before


def test_the_address_of_a_button_leads_to_the_page(asking: GuestLink) -> None:
    answer = Client().get(f"{path_of(asking)}decide/?page=2")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{path_of(asking)}?page=2")
