"""A fresh sandbox portal's examples: they are made the same way as people's runs, and one press removes them."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import batched
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from PIL import Image
from pytest_django import Settings

from runs import catalog, tasks
from runs.background import leases
from runs.connection import balance
from runs.engine import durations
from runs.history import bin
from runs.history.examples import examples
from runs.launching import presets
from runs.management import examples as maker
from runs.management.addresses import Address
from runs.management.commands import portal
from runs.management.people import prepare_people
from runs.models import App, Comment, GuestLink, LaminaStatus, Member, Notice, Output, Preset, Run
from runs.review import review_queries
from runs.sharing import links
from tests.support.charges import wrong_charges
from tests.support.factories import make_run
from tests.support.page import Element, Page
from tests.support.quick_portal import is_at_rest, quick_portal, work_until
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import queued

pytestmark = pytest.mark.django_db(transaction=True)
ASK = b"Start with an empty portal"


@pytest.fixture
def fresh(sandbox: SandboxDoor) -> Iterator[SandboxDoor]:
    """A sandbox portal that nobody has used yet, with its demo people and the apps that the examples need."""
    with quick_portal(sandbox):
        prepare_people(Address.parse("127.0.0.1:8000"), lambda _: None)
        sandbox.control("test-cards", shown=False)
        for app in {example.app for example in maker.EXAMPLES}:
            if app != "sandbox-logo":  # keeps its own settings, because they make one sketch fail
                sandbox.control("script", appId=app, seconds=0.2)
            catalog.refresh_app(App.objects.create(remote_id=app, name="not read yet").pk)
        yield sandbox


def browser_of(email: str) -> Client:
    """Return a browser on the portal's own machine, the only place where the demo people may sign in."""
    browser = Client(headers={"host": "127.0.0.1:8000"})
    browser.force_login(Member.objects.get(email=email))
    return browser


def make_all() -> None:
    for _ in range(len(maker.EXAMPLES)):
        if maker.advance():
            return
        work_until(is_at_rest)
    assert maker.advance()


def test_a_fresh_sandbox_has_examples_and_one_press_with_undo_empties_it(fresh: SandboxDoor) -> None:
    balance.refresh_balance()
    credits = fresh.state["balance"]
    own = make_run(Member.objects.get(email=maker.DEMO))
    assert not maker.advance()
    first = Run.objects.filter(is_example=True, shared_at__isnull=False).values_list("title", flat=True)
    assert sorted(first) == ["Red shoe", "Roter Schuh auf weißem Marmor"]  # can be searched for right away
    assert Run.objects.filter(is_example=True).count() == 2  # the others wait while a person's run is in progress
    own.delete()
    assert not maker.advance()
    work_until(lambda: len(fresh.runs) > 0)
    assert fresh.state["balance"] < credits
    balance.refresh_balance()
    assert LaminaStatus.objects.get().balance == credits  # the balance shown on pages doesn't change
    make_all()
    assert fresh.state["balance"] == credits
    runs = Run.objects.filter(is_example=True)
    assert runs.count() == 14 == len(fresh.runs)
    assert {run.member.email for run in runs} == {maker.DEMO, maker.SAM}
    partly = runs.get(outputs_failed__gt=0)
    assert (partly.outputs_ready, partly.outputs_failed) == (3, 1)
    assert runs.filter(shared_at__isnull=False).count() >= 5
    assert runs.filter(has_star=True).count() >= 2
    assert not runs.filter(created_at__gt=timezone.now() - timedelta(minutes=30)).exists()
    assert all(run.charge.pressed_at == run.created_at for run in runs), "charged when they seem to have been made"
    assert wrong_charges() == []
    assert all(0 < seconds < 60 for run in runs for seconds in durations.spans_of(run.app_id))
    link, preset = GuestLink.objects.get(), Preset.objects.get()
    assert link.lets_decide, "Kim has already answered"
    assert not Notice.objects.filter(is_undone=False).exists()
    browser = browser_of(maker.DEMO)
    shoe = runs.get(title="Roter Schuh auf weißem Marmor").outputs.get(position=0).files.get().file
    assert shoe is not None
    with Image.open(shoe.file) as picture:
        pixels = batched(picture.convert("RGB").resize((40, 40)).tobytes(), 3)
    assert sum(red > 180 and max(green, blue) < 120 for red, green, blue in pixels) > 30  # the red of the sample's shoe
    for q in ("red shoe", "roter Schuh", "rote Schuhe"):
        found = Page(browser.get("/history/", {"q": q, "tab": "team"}).text).first(id="history-results").words
        assert "Red shoe" in found or "Roter Schuh" in found
    assert ASK in browser.get("/").content
    assert ASK not in browser_of(maker.SAM).get("/").content
    suggested = b'id="first-picture"'
    assert suggested in browser.get("/").content  # the suggestion stays until they run something themselves
    app = App.objects.get(remote_id="sandbox-pattern")
    own = make_run(Member.objects.get(email=maker.DEMO), app, status="completed")
    assert suggested not in browser.get("/").content
    own.delete()

    page = browser.post("/examples/clear/", follow=True).content
    assert b"Make your first picture" in page
    assert ASK not in page
    assert b'id="examples-undo"' in page
    assert b'id="examples-undo"' in browser.get("/").content
    assert not examples().exists()
    assert not GuestLink.objects.exists()
    assert not Preset.objects.exists()

    assert ASK in browser.post("/examples/restore/", follow=True).content
    assert examples().count() == 14
    restored = GuestLink.objects.get()
    assert (restored.public_id, restored.token_hash) == (link.public_id, link.token_hash)
    assert list(restored.outputs.all())
    assert Preset.objects.get().public_id == preset.public_id
    assert maker.advance()
    assert len(fresh.runs) == 14


def test_one_press_signs_in_with_a_demo_account(fresh: SandboxDoor) -> None:
    assert "Try it as" not in Client().get("/login/").text  # as in a browser on another computer
    browser = Client(headers={"host": "127.0.0.1:8000"})
    page = Page(browser.get("/login/?next=/history/").text)
    button = next(button for button in page.find("button") if button.words == "Try it as Demo (Admin)")
    form = next(form for form in page.find("form") if button in form.find("button"))
    fields = {field.attributes["name"]: field.attributes["value"] for field in form.find("input")}
    assert browser.post("/login/", fields).headers["Location"] == "/history/"
    assert browser.get("/").status_code == 200


def made(**fields: Any) -> Run:
    """Make a finished example run by the demo admin, without using a sandbox."""
    prepare_people(Address.parse("127.0.0.1:8000"), lambda _: None)
    member = Member.objects.get(email=maker.DEMO)
    return make_run(member, status="completed", is_example=True, **fields)


def test_what_people_made_or_changed_stays() -> None:
    shown, hidden = made(), made()
    own = make_run(shown.member, shown.app, status="completed")
    link = GuestLink.objects.create(
        nonce="n", token_hash="h", member=shown.member, expires_at=timezone.now() + timedelta(days=1)
    )
    link.outputs.add(shown.outputs.all()[0], through_defaults={"position": 0})
    preset = presets.save_preset(Preset(member=shown.member, app=shown.app, name="Spring look", is_team=True))
    Preset.objects.update(is_example=True)
    preset.refresh_from_db()
    presets.edit_preset(preset, "Our look", timezone.now(), is_team=True)
    browser = browser_of(maker.DEMO)

    browser.post("/examples/clear/")

    left = set(Run.objects.filter(deleted_at=None))
    assert left == {shown, own}
    assert Run.objects.get(deleted_at__isnull=False) == hidden
    assert Preset.objects.get().name == "Our look"
    assert GuestLink.objects.get() == link


def test_a_changed_link_is_a_persons_own() -> None:
    run = made()
    link = GuestLink.objects.create(
        nonce="n", token_hash="h", member=run.member, expires_at=timezone.now(), is_example=True
    )
    links.extend(link)
    assert not GuestLink.objects.get().is_example


def test_examples_in_progress_show_nowhere_on_home() -> None:
    prepare_people(Address.parse("127.0.0.1:8000"), lambda _: None)
    make_run(Member.objects.get(email=maker.DEMO), is_example=True)
    page = browser_of(maker.DEMO).get("/").content
    assert b"Make your first picture" in page
    assert b"data-run=" not in page


def wants_examples() -> bool:
    OrmQ.objects.all().delete()
    maker.request_examples()
    return bool(OrmQ.objects.exists())


def test_only_a_sandbox_that_nobody_has_used_gets_examples(settings: Settings) -> None:
    assert wants_examples()
    settings.IS_SANDBOX = False
    assert not wants_examples()
    settings.IS_SANDBOX = True
    run = made()
    assert wants_examples()  # not all examples have been made
    Run.objects.update(deleted_at=timezone.now())
    assert not wants_examples()
    run.delete()
    Member.objects.update(last_login=timezone.now())
    assert not wants_examples()


@pytest.mark.parametrize("has_examples", [True, False])
def test_the_command_asks_for_examples_unless_told_to_start_empty(
    monkeypatch: pytest.MonkeyPatch, has_examples: bool
) -> None:
    monkeypatch.setattr(portal, "call_command", lambda *_, **__: None)  # tests have their own database and files
    portal.prepare(Address("127.0.0.1", 8000), has_examples=has_examples)
    assert [task["func"] for task in queued()].count("runs.tasks.make_examples") == has_examples


def test_a_portal_with_runs_of_people_gets_no_examples() -> None:
    run = made()
    make_run(run.member, run.app)
    assert not wants_examples()
    Run.objects.filter(pk=run.pk).update(sent_at=timezone.now())
    assert wants_examples()  # the portal was stopped before this example got its title and its date


def pulse_asks_for_examples() -> bool:
    OrmQ.objects.all().delete()
    tasks.pulse()
    return "runs.tasks.make_examples" in [task["func"] for task in queued()]


def test_examples_that_took_too_long_are_finished_later() -> None:
    titled = next(example for example in maker.EXAMPLES if example.title == "Bakery jingle")
    assert not pulse_asks_for_examples()  # the portal may have been started without examples
    made(sent_at=timezone.now())
    late = Run.objects.all()
    late.update(form_token=maker.token_of(titled), remote_id="r", status="running", finished_at=None)
    assert not pulse_asks_for_examples()
    late.update(status="completed", finished_at=timezone.now())
    with leases.hold("examples", 60):  # the task is still running
        assert not pulse_asks_for_examples()
    assert pulse_asks_for_examples()

    maker.advance()
    assert late.get().title == "Bakery jingle"
    assert not pulse_asks_for_examples()


def test_undo_restores_late_examples_and_what_was_started_from_a_preset() -> None:
    first = made(created_at=timezone.now() - timedelta(days=1))
    late = made(sent_at=timezone.now())
    Run.objects.filter(pk=late.pk).update(status="running", finished_at=None, form_token="example-1", remote_id="r")
    preset = presets.save_preset(Preset(member=first.member, app=first.app, name="Spring look", is_team=True))
    Preset.objects.update(is_example=True)
    own = make_run(first.member, first.app, status="completed", preset=preset)
    browser = browser_of(maker.DEMO)
    browser.post("/examples/clear/")
    Run.objects.filter(pk=late.pk).update(status="completed", finished_at=timezone.now())
    maker.advance()
    assert not Run.objects.filter(is_example=True, deleted_at=None).exists()

    browser.post("/examples/restore/")

    assert set(examples()) == {first, late}
    late.refresh_from_db()
    assert late.title == "Bottle for the spring page"
    own.refresh_from_db()
    assert own.preset == preset


def undo_on_home(browser: Client) -> list[Element]:
    return Page(browser.get("/").text).find(id="examples-undo")


def test_undo_stays_on_home_until_it_is_pressed_or_closed() -> None:
    run = made()
    GuestLink.objects.create(
        nonce="n", token_hash="h", member=run.member, is_example=True, expires_at=timezone.now() + timedelta(days=90)
    )
    browser = browser_of(maker.DEMO)
    browser.get("/")
    browser.post("/examples/clear/")
    assert ["autofocus" in undo_on_home(browser)[0].attributes for _ in range(3)] == [True, False, False]
    assert not undo_on_home(browser_of(maker.SAM))

    bin.bring_back(Run.objects.filter(pk=run.pk))  # restored on the bin's page, then removed again
    browser.post("/examples/clear/")
    browser.post("/examples/restore/")
    assert GuestLink.objects.get().is_example
    assert set(examples()) == {run}
    assert not undo_on_home(browser)

    browser.post("/examples/clear/")
    browser.post("/examples/restore/", {"do": "close"})
    assert not undo_on_home(browser)
    assert not GuestLink.objects.exists()


def test_an_example_that_ends_after_the_press_goes_to_the_bin_too() -> None:
    made(deleted_at=timezone.now())
    late = made(sent_at=timezone.now())
    Run.objects.filter(pk=late.pk).update(form_token="example-1")  # the example that gets a guest link and a preset
    maker.advance()
    late.refresh_from_db()
    assert late.deleted_at is not None
    assert not GuestLink.objects.exists()
    assert not Preset.objects.exists()


def test_one_deleted_example_stops_no_others() -> None:
    day_ago = timezone.now() - timedelta(days=1)
    deleted, left = made(created_at=day_ago), made(created_at=day_ago)
    bin.move_to_bin(Run.objects.filter(pk=deleted.pk), deleted.member, timezone.now())
    assert wants_examples()

    bin.move_to_bin(Run.objects.filter(pk=left.pk), left.member, timezone.now())
    assert not wants_examples()


def test_a_review_is_in_progress_and_goes_with_the_examples(fresh: SandboxDoor) -> None:
    make_all()
    demo, sam = (Member.objects.get(email=email) for email in (maker.DEMO, maker.SAM))
    front, angle, detail = Run.objects.get(form_token="example-1").outputs.all()
    newer = Output.objects.get(line=detail)
    assert [output.verdict for output in (front, angle, detail, newer)] == ["approved", "", "changes", ""]
    assert {decision.who for decision in front.decisions.all()} == {"Sam", "Kim"}
    assert GuestLink.objects.get().viewed_at  # opened by the guest who decided
    assert Comment.objects.get(output=detail).spot_x is not None
    assert [item.output for item in review_queries.waiting_for(sam)] == [newer, angle]
    assert review_queries.waiting_for(demo).exclude(output__in=[angle, newer]).count() == 2  # Sam asks for these

    browser = browser_of(maker.DEMO)
    browser.post("/examples/clear/")
    assert not review_queries.waiting_for(sam).exists()
    assert not GuestLink.objects.exists()

    browser.post("/examples/restore/")
    assert {decision.who for decision in front.decisions.all()} == {"Sam", "Kim"}
    assert review_queries.waiting_for(sam).count() == 2
