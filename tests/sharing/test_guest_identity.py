"""Who a guest is: a name anyone can type proves nothing, and no address tells it. How guests come back."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import make_password
from django.core.mail import EmailMultiAlternatives as Sent
from django.db import connection
from django.test import Client

from runs.models import Comment, Decision, Entry, Guest, GuestContact, GuestLink, Member, Output, Run, SentAnswer
from runs.sharing import guest_identity, guests, links
from tests.sharing.guest_mails import KIM, answer
from tests.sharing.guest_visit import BROWSER, GuestVisit, visit
from tests.support.guest_links import path_of
from tests.support.notices import send_gathered
from tests.support.page import Page

pytestmark = pytest.mark.django_db
PASSPHRASE = "open sesame"
IN_ADDRESS = re.compile(r"""(?:href|src|srcset|action|formaction|content)="([^"]*)\"""")


@pytest.fixture(autouse=True)
def _hashed(run: Run) -> None:
    for output in run.outputs.all():
        Output.objects.filter(pk=output.pk).update(content_hash=f"{output.pk:064x}")


@pytest.fixture
def asking(link: GuestLink) -> GuestLink:
    """A guest link that lets guests decide and comment, and download."""
    return changed(link, lets_decide=True, lets_comment=True, may_download=True)


@pytest.fixture
def locked(asking: GuestLink) -> GuestLink:
    return changed(asking, passphrase=make_password(PASSPHRASE))


def changed(link: GuestLink, **fields: object) -> GuestLink:
    GuestLink.objects.filter(pk=link.pk).update(**fields)
    link.refresh_from_db()
    return link


def standing() -> list[tuple[str, str, str]]:
    """Return who decided what on which result, for the verdicts in force."""
    rows = Decision.objects.filter(is_standing=True).order_by("output__position", "created_at", "pk")
    return [(row.guest_name, row.verdict, f"r{row.output.position + 1}") for row in rows]


def approved(link: GuestLink, name: str = "Kimberly", **more: str) -> GuestVisit:
    """Return the visit of somebody new who has approved the first result as `name`."""
    return visit(link).press("approve", "r1").press("", name=name, **more)


def code_in(guest: GuestVisit, place: str = "r1") -> str:
    return str(guest.box(place).first("code", css="guest-code").text)


# --- Two people, one name ---------------------------------------------------------------------------------------------
def test_a_second_guest_of_the_same_name_overturns_nothing(asking: GuestLink, as_alice: Client) -> None:
    visit(asking).type("r1", "Too dark").press("changes", "r1").press("", name="Kimberly")
    second = approved(asking, "KIMBERLY ")
    assert standing() == [("Kimberly", "changes", "r1"), ("KIMBERLY (2)", "approved", "r1")]
    assert Output.objects.get(position=0).verdict == "changes"
    assert "Too dark" not in second.answer.text
    assert "You're answering as KIMBERLY." in second.words
    third = approved(asking, "Kimberly (2)")  # which others would take for the second
    assert standing()[2] == ("Kimberly (2) (2)", "approved", "r1")
    assert "Kimberly" not in third.words.replace("Kimberly (2)", "")
    page = Page(as_alice.get(f"/shares/{asking.public_id}/").text).first("ul", css="link-answers").words
    assert "by KIMBERLY (2)" in page
    assert set(Entry.objects.filter(verb="result.decided").values_list("actor_name", flat=True)) == {
        "Kimberly",
        "KIMBERLY (2)",
        "Kimberly (2) (2)",
    }


def test_a_second_guest_of_the_same_name_neither_reads_nor_gets_the_firsts_mails(
    asking: GuestLink, mailoutbox: list[Sent]
) -> None:
    first = visit(asking).type("r1", "Between us").press("comment", "r1").press("", name="Kim", email=KIM)
    answer(asking, asking.member, "Of course")
    second = approved(asking, "Kim", email="thief@client.example")
    for words in ("Between us", "Of course"):
        assert words not in second.answer.text
        assert words in first.reload().words
    send_gathered()
    assert [mail.to for mail in mailoutbox if "Of course" in str(mail.body) or "replied" in mail.subject] == [[KIM]]
    contacts = GuestContact.objects.order_by("pk").values_list("guest__shown_name", "email")
    assert list(contacts) == [("Kim", KIM), ("Kim (2)", "thief@client.example")]


def test_other_guests_see_which_of_two_kims_wrote(asking: GuestLink) -> None:
    changed(asking, shows_comments=True)
    for words in ("First", "Second"):
        visit(asking).type("r1", words).press("comment", "r1").press("", name="Kim")
    lee = approved(asking, "Lee")
    assert [who.text for who in lee.box("r1").first("ol").find("strong")] == ["Kim", "Kim (2)"]


def test_a_long_name_that_is_taken_still_fits(asking: GuestLink) -> None:
    for _ in range(2):
        approved(asking, "x" * 100)
    assert sorted(Guest.objects.values_list("shown_name", flat=True)) == ["x" * 96 + " (2)", "x" * 100]


# --- What addresses tell ----------------------------------------------------------------------------------------------
def test_no_address_has_the_identity_or_the_passphrases_proof(locked: GuestLink) -> None:
    kim = visit(locked).press("", passphrase=PASSPHRASE)
    steps = [kim.answer]
    for name, place in (("approve", "r1"), ("place", "r1"), ("back", ""), ("changes", "r2")):
        if place:
            kim.type(place, "Words")
        kim.press(name, place)
        steps.append(kim.answer)
        if "What's your name?" in kim.words:
            kim.press("", name="Kim")
            steps.append(kim.answer)
        assert kim.at.partition("#")[0] in {f"{path_of(locked)}{path}" for path in ("", "decide/", "comment/")}
    assert [(step.status_code, step.headers.get("Location")) for step in steps] == [(200, None)] * len(steps)
    fields = kim.fields
    assert {"p", "n", "opened"} <= fields.keys()
    for step in steps:
        for address in " ".join(IN_ADDRESS.findall(step.text)).split():
            assert not any(value in address for value in fields.values())
            assert "/files/" in address or "/text" in address or "?" not in address


def test_the_address_of_a_file_opens_that_file_alone(locked: GuestLink) -> None:
    kim = visit(locked).press("", passphrase=PASSPHRASE)
    file, text = (
        kim.page.first("img").attributes["src"],
        next(a.attributes["href"] for a in kim.page.root.find("a") if "/text" in a.attributes["href"]),
    )
    assert Client().get(file).status_code == Client().get(text).status_code == 200
    proof = file.partition("?p=")[2]
    for path in ("", "download/", f"{text.partition('?')[0].removeprefix(path_of(locked))}"):
        assert 'name="passphrase"' in Client().get(f"{path_of(locked)}{path}?p={proof}").text
    assert Client().post(path_of(locked), {"p": proof}).status_code == 403
    assert Client().get(f"{file.partition('?')[0]}?p={kim.fields['p']}").status_code == 403
    asked = GuestVisit(file.partition("?")[0])  # an address that has been passed on without its proof
    assert "Front" in asked.press("", passphrase=PASSPHRASE).words


def test_a_copied_address_asks_for_passphrase_and_name_again(locked: GuestLink) -> None:
    kim = visit(locked).press("", passphrase=PASSPHRASE)
    addresses = {kim.at}
    for act, place in (("approve", "r1"), ("comment", "r2")):
        kim.type(place, "Words of Kim").press(act, place)
        if "What's your name?" in kim.words:
            addresses.add(kim.at)
            kim.press("", name="Kim")
        addresses.add(kim.at)
    assert len(addresses) > 2
    for address in addresses:
        other = Client(headers={"User-Agent": BROWSER}).get(address.partition("#")[0], follow=True)
        assert 'name="passphrase"' in other.text
        lee = GuestVisit(other.redirect_chain[-1][0] if other.redirect_chain else address)
        lee.press("", passphrase=PASSPHRASE)
        assert "Words of Kim" not in lee.answer.text
        assert "You're answering as" not in lee.words
        assert "What's your name?" in lee.press("approve", "r1").words


def test_somebody_else_at_the_same_browser_is_somebody_new(locked: GuestLink) -> None:
    kim = visit(locked).press("", passphrase=PASSPHRASE).type("r1", "Words of Kim").press("changes", "r1")
    lee = kim.press("", name="Kim").type("r2", "Not sent yet").press("other")
    assert "Words of Kim" not in lee.answer.text
    assert "Not sent yet" not in lee.answer.text
    assert "You're answering as" not in lee.words
    lee.press("approve", "r1").press("", name="Lee")
    assert [name for name, *_ in standing()] == ["Kim", "Lee"]


def test_every_page_of_many_is_reached_by_buttons_that_keep_who_it_is(
    locked: GuestLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guests, "PER_PAGE", 1)
    kim = visit(locked).press("", passphrase=PASSPHRASE).press("approve", "r1").press("", name="Kim")
    kim.type("r1", "Not sent yet").press_value("to", "2")
    assert "You're answering as Kim." in kim.words
    assert kim.texts()[0] == "Not sent yet"
    assert kim.box("r2")
    kim.press("approve", "r2")
    assert "You approved this" in kim.box("r2").words
    assert "You approved this" in kim.press_value("to", "1").box("r1").words


# --- Sent again -------------------------------------------------------------------------------------------------------
def test_a_reload_records_nothing_and_shows_the_same_guest(asking: GuestLink) -> None:
    kim = approved(asking)
    kim.reload().reload()
    assert standing() == [("Kimberly", "approved", "r1")]
    assert "Thank you, Kimberly." in kim.box("r1").words
    assert "You're answering as Kimberly." in kim.words
    first = (kim.at, kim.sent)
    kim.type("r1", "Too dark").press("changes", "r1")
    assert first[1] is not None
    kim.send(first[0], first[1])
    assert "You asked for changes" in kim.box("r1").words
    assert Decision.objects.count() == 2
    kim.type("r2", "Nice").press("comment", "r2")
    Comment.objects.update(created_at=asking.created_at)  # longer ago than a double click
    kim.reload()
    assert (Comment.objects.count(), Guest.objects.count()) == (1, 1)


def test_whoever_goes_back_in_the_browser_stays_the_same_guest(asking: GuestLink) -> None:
    kim = visit(asking)
    (button,) = (b for b in kim.box("r2").find("button") if b.attributes["name"] == "approve")
    before = kim.sent_by(button)
    kim.press("approve", "r1").press("", name="Kim")
    kim.send(*before)  # from the page of before, which doesn't know Kim yet
    assert "You're answering as Kim." in kim.words
    assert standing() == [("Kim", "approved", "r1"), ("Kim", "approved", "r2")]


def test_an_answer_that_was_refused_can_be_sent_again(asking: GuestLink, run: Run) -> None:
    kim = visit(asking).press("approve", "r1")
    Output.objects.filter(position=0).update(content_hash="f" * 64)
    assert "has changed since you opened the page" in kim.press("", name="Kim").words
    assert not Guest.objects.exists()
    assert not SentAnswer.objects.exists()
    kim.press("approve", "r1").press("", name="Kim")
    assert standing() == [("Kim", "approved", "r1")]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["approve", "comment"])
def test_ten_equal_posts_at_once_are_one_answer_by_one_guest(asking: GuestLink, act: str) -> None:
    kim = visit(asking).type("r1", "Lovely").press(act, "r1")
    (button,) = (b for b in kim.page.root.find("button") if b.words == "Send answer")
    to, sent = kim.sent_by(button, name="Kim")

    def send(_number: int) -> str:
        try:
            return Client().post(to.partition("#")[0], sent).text
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        pages = list(pool.map(send, range(10)))
    assert all("Thank you, Kim." in Page(page).root.words for page in pages)
    assert (Guest.objects.count(), Decision.objects.count() + Comment.objects.count()) == (1, 1)


# --- Ways back --------------------------------------------------------------------------------------------------------
def address_in(sent: Sent) -> str:
    return str(re.findall(r"(/s/\S+)", str(sent.body))[0])


@pytest.fixture
def emailed(locked: GuestLink, mailoutbox: list[Sent]) -> str:
    """The address in an email to Kimberly about a reply."""
    kim = visit(locked).press("", passphrase=PASSPHRASE)
    kim.type("r1", "Between us").press("comment", "r1").press("", name="Kimberly", email=KIM)
    answer(locked, locked.member, "Of course")
    send_gathered()
    return next(address_in(mail) for mail in mailoutbox if mail.to == [KIM])


def test_the_mails_link_offers_to_go_on_as_the_guest(locked: GuestLink, emailed: str) -> None:
    def rows() -> list[int]:
        return [model.objects.count() for model in (Guest, Decision, Comment, SentAnswer, Entry)]

    before = rows()
    page = GuestVisit(emailed)
    assert "Between us" not in page.answer.text
    page.press("", passphrase=PASSPHRASE)
    assert page.at == f"{path_of(locked)}#r1"
    assert "Go on as Kimberly" in page.words
    assert "Between us" not in page.answer.text
    assert "You're answering as" not in page.words
    page.press("me", "r1")
    assert rows() == before
    assert "You're answering as Kimberly." in page.words
    assert "Between us" in page.box("r1").words
    assert page.at == f"{path_of(locked)}#r1"
    page.press("approve", "r1")
    assert standing() == [("Kimberly", "approved", "r1")]


def test_an_answer_from_the_mails_page_asks_who_it_is(locked: GuestLink, emailed: str) -> None:
    page = GuestVisit(emailed).press("", passphrase=PASSPHRASE).type("r1", "Lighter").press("changes", "r1")
    assert standing() == []
    assert "Go on as Kimberly" in page.words
    lee = GuestVisit(emailed).press("", passphrase=PASSPHRASE).press("approve", "r1").press("", name="Lee")
    assert "You're answering as Lee." in lee.words
    page.press("me")
    assert standing() == [("Lee", "approved", "r1"), ("Kimberly", "changes", "r1")]


def test_the_code_brings_a_guest_back_elsewhere(locked: GuestLink) -> None:
    kim = visit(locked).press("", passphrase=PASSPHRASE).type("r1", "Between us").press("comment", "r1")
    code = code_in(kim.press("", name="Kim"))
    assert re.fullmatch("[2-9a-z]{4}-[2-9a-z]{4}", code)
    assert code_in(kim.press("approve", "r2"), "r2") == code
    other = visit(locked).press("", passphrase=PASSPHRASE)
    wrong = other.enter_code("abcd-2345")
    assert wrong.status == 422
    assert "That code isn't right." in wrong.words
    assert "Between us" in other.enter_code(code.upper().replace("-", " ")).box("r1").words
    other.press("approve", "r1")
    assert [name for name, *_ in standing()] == ["Kim", "Kim"]


def test_a_code_is_its_guests_and_its_links_and_cannot_be_guessed(
    asking: GuestLink, run: Run, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    kim, lee = approved(asking, "Kim"), approved(asking, "Lee")
    assert code_in(kim) != code_in(lee)
    other = changed(links.make_link(alice, list(run.outputs.all())), lets_decide=True)
    approved(other, "Kim")
    assert "That code isn't right." in visit(other).enter_code(code_in(kim)).words
    monkeypatch.setattr(guests, "MAX_WRONG", 2)
    assert [visit(asking).enter_code(code).status for code in ("a", "b", "c", code_in(kim))] == [
        422,
        422,
        429,
        429,
    ]


def test_nobody_is_asked_for_a_code_before_anyone_has_one(asking: GuestLink) -> None:
    assert "Have you answered before?" not in visit(asking).words
    kim = approved(asking)
    assert "Have you answered before?" not in kim.words
    assert "Have you answered before?" in visit(asking).words


# --- The same person --------------------------------------------------------------------------------------------------
def same_person(client: Client, link: GuestLink, other: str, guest: str) -> str:
    """Say on the link's page that `other` is the same person as `guest`; return the page that follows."""
    ids = {row.shown_name: row.public_id for row in Guest.objects.filter(link=link)}
    posted = {"other": ids.get(other, other), "guest": ids.get(guest, guest)}
    return client.post(f"/shares/{link.public_id}/same-person/", posted, follow=True).text


def test_the_maker_says_that_two_guests_are_one_and_the_later_answer_counts(
    asking: GuestLink, as_alice: Client
) -> None:
    first = visit(asking).type("r1", "Too dark").press("changes", "r1").press("", name="Kimberly", email=KIM)
    first.press("approve", "r2").type("r2", "First words").press("comment", "r2")
    second = approved(asking, "Kimberly", email="kim.lee@client.example")
    second.type("r2", "Second words").press("comment", "r2")
    assert Output.objects.get(position=0).verdict == "changes"

    page = same_person(as_alice, asking, "Kimberly (2)", "Kimberly")

    assert "All their answers and comments now have the name Kimberly." in Page(page).root.words
    assert "also Kimberly (2)" in Page(page).first("ul", css="link-guests").words
    assert standing() == [("Kimberly", "approved", "r1"), ("Kimberly", "approved", "r2")]
    assert Output.objects.get(position=0).verdict == "approved"
    assert set(Comment.objects.values_list("guest_name", flat=True)) == {"Kimberly"}
    assert GuestContact.objects.get().email == "kim.lee@client.example"
    entry = Entry.objects.get(verb="link.guests-joined")
    assert (entry.object_id, entry.changes) == (asking.public_id, {"guest": ["Kimberly (2)", "Kimberly"]})
    for back in (first.reload(), second.reload()):  # both pages are Kimberly's now
        assert "You're answering as Kimberly." in back.words
        assert "First words" in back.box("r2").words
        assert "Second words" in back.box("r2").words
    codes = {code_in(approved(asking, "Lee")), guest_identity.code_of(Guest.objects.get(shown_name="Kimberly (2)"))}
    assert [("Second words" in visit(asking).enter_code(code).words) for code in sorted(codes)].count(True) == 1
    approved(asking, "Kimberly")
    assert standing()[-2][0] == "Kimberly (3)"


def test_two_links_guests_are_never_made_one(
    asking: GuestLink, run: Run, alice: Member, as_alice: Client, as_bob: Client, as_admin: Client
) -> None:
    other = changed(links.make_link(alice, list(run.outputs.all())), lets_decide=True)
    for link, name in ((asking, "Kim"), (asking, "Lee"), (other, "Olga")):
        approved(link, name)
    olga = Guest.objects.get(name="Olga").public_id
    for posted in (("Kim", "Kim"), ("Kim", olga), (olga, "Kim"), ("", "Kim")):
        assert "Choose two different guests." in Page(same_person(as_alice, asking, *posted)).root.words
    assert as_bob.post(f"/shares/{asking.public_id}/same-person/", {}).status_code == 404
    assert len(standing()) == 3
    same_person(as_admin, asking, "Lee", "Kim")
    assert "Choose two different guests." in Page(same_person(as_alice, asking, "Lee", "Kim")).root.words
    assert [name for name, *_ in standing()] == ["Kim", "Olga"]


def test_a_chain_of_guests_leads_to_the_last(asking: GuestLink, as_alice: Client) -> None:
    first = visit(asking).type("r1", "Words").press("comment", "r1").press("", name="A")
    for name in ("B", "C"):
        approved(asking, name)
    same_person(as_alice, asking, "A", "B")
    same_person(as_alice, asking, "B", "C")
    first.press("approve", "r2")
    assert "You're answering as C." in first.words
    assert {name for name, *_ in standing()} == {"C"}
