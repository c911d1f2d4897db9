"""Whatever people type, choose or forge, no page breaks, no invalid run starts, and no input is lost."""

import pytest
from django.test import Client

from runs.models import Member, Run
from runs.models.messages import Message
from runs.team.views_sign_in import WRONG
from runs.words.messages import say
from tests.hostile.apps import EVERYTHING, NOTE
from tests.hostile.browser import Browser
from tests.hostile.faults import known
from tests.hostile.form import File, Form
from tests.hostile.media import HTML, png
from tests.support.clients import PASSWORD
from tests.support.page import Page, errors_of
from tests.support.quick_portal import is_at_rest, work_until
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)

NOT_LISTED = "Choose one of the listed options."


def test_all_errors_are_shown_at_once_and_nothing_is_lost(lamina_door: SandboxDoor, browser: Browser) -> None:
    app = known(lamina_door, EVERYTHING)
    form = browser.open(app).set("p0", "typed  \n with care ").set("p1", "7").set("p4", "banana").set("outputs")
    form.attach("p2", File("cat.png", HTML, "image/png")).attach("p3", png()).set("p3_link", "no link")

    page = browser.refused(form)

    assert errors_of(page) == {
        "Style": NOT_LISTED,
        "Photo": say(Message("wrong_kind", {"wanted_kinds": "image", "given_kind": "other"})),
        "More": say(Message("no_link")),
        "Format": NOT_LISTED,
        "Results": "Tick at least one result.",
    }
    assert page.first(id="errors-title").words == "5 things need another look"
    for kept in (Form.on(page.html), browser.open(app)):  # on this page, and when the form is opened again
        assert kept.get("p0") == "typed  \n with care "
        assert kept.get("p3_link") == "no link"
        assert len(kept.all("p3_kept")) == 1
    assert not Run.objects.exists()

    mended = Form.on(page.html).set("p1", "2").set("p4", "1").set("p3_link", "").set("outputs", "1")
    browser.press(mended.attach("p2", png("#aa3300")))
    work_until(is_at_rest)
    [record] = lamina_door.runs
    assert record["inputs"].keys() == {"Note", "Style", "Photo", "More", "Format"}
    assert (record["inputs"]["Style"], record["inputs"]["Note"]) == ("Trailing ", "typed  \n with care ")
    assert record["outputs"] == ["Second"]


def test_required_fields_are_reported(lamina_door: SandboxDoor, browser: Browser) -> None:
    form = browser.open(known(lamina_door, EVERYTHING))

    page = browser.refused(form)

    assert errors_of(page) == {"Note": "Write something here.", "Style": "Choose one.", "Photo": "Add a picture."}


@pytest.mark.parametrize(
    "position", ["-1", "3", "9" * 5000, "1.0", " 1", "0x1", "\u0661", "1\x00", "Plain", "<b>1</b>"]
)
def test_an_invalid_position(lamina_door: SandboxDoor, browser: Browser, position: str) -> None:
    form = browser.open(known(lamina_door, EVERYTHING)).set("p0", "x").set("p1", position).attach("p2", png())

    assert errors_of(browser.refused(form)) == {"Style": NOT_LISTED}
    assert not Run.objects.exists()


@pytest.mark.parametrize(("ticked", "made"), [(["7"], None), ([], None), (["0", "7", "-1", "x"], ["First"])])
def test_unknown_results(lamina_door: SandboxDoor, browser: Browser, ticked: list[str], made: list[str] | None) -> None:
    form = browser.open(known(lamina_door, NOTE)).set("p0", "x").set("outputs", *ticked)

    if made is None:
        assert errors_of(browser.refused(form)) == {"Results": "Tick at least one result."}
        assert not Run.objects.exists()
    else:
        browser.press(form)
        work_until(is_at_rest)
        assert [record["outputs"] for record in lamina_door.runs] == [made]


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("nul\x00nul", "nul\ufffdnul"),
        ("half \ud83d pair", "half \ufffd\ufffd\ufffd pair"),  # it arrives as three invalid bytes
        ("one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour"),
        ("  around\t ", "  around\t "),
        ("\u202eright to left\u2066", "\u202eright to left\u2066"),
        ("a" * 1_000_000, "a" * 1_000_000),
    ],
    ids=["nul", "surrogate", "line ends", "spaces", "directions", "1 MB"],
)
def test_odd_texts_arrive(lamina_door: SandboxDoor, browser: Browser, typed: str, sent: str) -> None:
    run = browser.press(browser.open(known(lamina_door, NOTE)).set("p0", typed))
    work_until(is_at_rest)

    assert [record["inputs"] for record in lamina_door.runs] == [{"Note": sent}]
    page = browser.page(run.get_absolute_url())
    assert page.first(css="run-sentence").words.startswith("Ready")
    assert sent in [e.text for e in page.find(css="went-in-text")]
    assert browser.page("/history/").find(id=f"card-{run.public_id}")


def test_six_megabytes_of_text_are_refused(lamina_door: SandboxDoor, browser: Browser) -> None:
    answer = browser.send(browser.open(known(lamina_door, NOTE)).set("p0", "a" * 6_000_000))

    assert answer.status_code in (400, 413)
    assert "Lamina Portal" in answer.content.decode()
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "/history/?q=%00&app=%00&before=%00",
        "/history/?state=%ED%A0%80&view=%27&app=9999999999999999999999",
        "/apps/?q=%00%FF&makes=%00",
        "/live/?r=%00:1&r=x:-1&r=::::&page=%00",
        "/live/?r=abc:99999999999999999999999999-ready-1-99999999999999999999999",
        "/runs/%00/",
        "/runs/..%2f..%2fetc/",
        "/runs/%F0%9F%92%A9/status/?v=%00",
        "/results/%00/",
        "/results/%F0%9F%92%A9/text",
        "/files/%00/original",
        "/files/x/thumb/400",
        "/files/x/thumb/99999999999999999999",
        "/uploads/%00/?field=%3Cscript%3E",
        "/apps/x-%00/",
        "/apps/x-y/?from=%00",
        "/apps/%00/news/?schema=%00",
    ],
)
def test_invalid_addresses(lamina_door: SandboxDoor, browser: Browser, address: str) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        assert browser.get(address, headers=headers).status_code in (200, 204, 400, 404)


@pytest.mark.parametrize("name", ["schema", "token", "from", "act", "p0_kept", "p2_kept", "p2_link", "outputs"])
@pytest.mark.parametrize("value", ["\x00", "a" * 70_000, "'\"><script>"], ids=["nul", "long", "markup"])
def test_invalid_hidden_fields(lamina_door: SandboxDoor, browser: Browser, name: str, value: str) -> None:
    app = known(lamina_door, EVERYTHING)
    form = browser.open(app).set("p0", "x").set("p1", "0").attach("p3", png())

    answer = browser.send(form.set(name, value))

    assert answer.status_code in (200, 422)
    assert Form.on(answer.content.decode()).get("p0") == "x"
    assert not Run.objects.exists()


def test_a_failed_sign_in_reveals_nothing(lamina_door: SandboxDoor, alice: Member) -> None:
    gone = Member.objects.create_user("gone@example.com", PASSWORD, is_active=False)
    tries = [(alice.email, "wrong"), ("nobody@example.com", PASSWORD), (gone.email, PASSWORD)]
    told = set()
    for email, password in tries:
        answer = Client().post("/login/", {"username": email, "password": password})
        told.add(Page(answer.content.decode()).first(id="sign-in-error").words)

    assert told == {WRONG}
