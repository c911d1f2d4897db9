"""Live updates of a page: no content if nothing changed, otherwise only the changed parts."""

from contextlib import suppress

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from runs.background import leases
from runs.connection.lamina_api import lamina
from runs.display.cards import version_token
from runs.engine import poller_wakeups, progress
from runs.lamina.errors import LaminaUnavailable
from runs.models import Member, Output, Run, StoredFile
from tests.support.clients import HTMX
from tests.support.factories import make_app, make_kept, make_run
from tests.support.page import Page
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db


def look(client: Client, *runs: Run, **extra: str) -> tuple[int, str]:
    query = {"r": [f"{run.public_id}:{version_token(run)}" for run in runs], **extra}
    answer = client.get("/live/", query, headers=HTMX)
    return answer.status_code, answer.content.decode()


def test_an_unchanged_page_costs_two_queries_and_no_body(
    as_alice: Client, alice: Member, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    app = make_app()
    runs = [make_run(alice, app) for _ in range(10)]
    assert leases.acquire(poller_wakeups.POLLER, "somebody", 60)
    look(as_alice, *runs)

    with django_assert_num_queries(4):  # queries: session, member, the runs, the poller's lease
        status, body = look(as_alice, *runs)

    assert (status, body) == (204, "")


@pytest.mark.parametrize(
    ("page", "at", "link"),
    [
        ("history", "/history/?state=progress", "?in=state%3Dprogress"),
        ("history", "/history/", "?in="),
        ("run", "/runs/any/?in=q%3Dshoe", "?in=q%3Dshoe"),
        ("run", "/runs/any/", ""),
        ("home", "/?in=q%3Dshoe", ""),
    ],
)
def test_news_keep_the_list_that_results_lead_on_through(
    as_alice: Client, alice: Member, page: str, at: str, link: str
) -> None:
    run = make_run(alice, status="completed")
    make_kept(run)
    query = {"r": f"{run.public_id}:0.0--0-2", "page": page}
    headers = HTMX | {"HX-Current-URL": f"http://testserver{at}"}

    body = as_alice.get("/live/", query, headers=headers).content.decode()

    url = run.outputs.all()[0].get_absolute_url() if page == "run" else run.get_absolute_url()
    assert f'href="{url}{link}"' in body


def test_a_changed_card_stays_in_the_wider_list_with_its_words_marked(as_alice: Client, alice: Member) -> None:
    run = make_run(alice, status="completed", title="A quiet orchard")
    page = as_alice.get("/history/", {"q": "quit orchad"})
    sent = Page(page.text).first(id="selection-query").attributes["value"]
    query = {"r": f"{run.public_id}:0.0--0-2", "page": "history", "in": sent}

    body = as_alice.get("/live/", query, headers=HTMX | {"HX-Current-URL": "http://testserver/history/?q=quit+orchad"})

    for text in (page.text, body.text):
        assert f'href="{run.get_absolute_url()}?in=q%3Dquit%2Borchad%26similar%3D1"' in text
        assert "A <mark>quiet</mark> <mark>orchard</mark>" in text


def test_only_the_changed_card_comes_back(as_alice: Client, alice: Member) -> None:
    app = make_app()
    changed, same = make_run(alice, app, status="queued"), make_run(alice, app)
    before = Run.objects.get(pk=changed.pk)
    progress.fail(changed, "remote", timezone.now(), text="No luck", from_statuses=("queued",))

    status, body = look(as_alice, before, same)

    assert status == 200
    assert f"card-{changed.public_id}" in body
    assert f"card-{same.public_id}" not in body
    assert "Failed" in body


def test_a_change_is_announced_once(as_alice: Client, alice: Member) -> None:
    run = make_run(alice, status="queued")
    before = Run.objects.get(pk=run.pk)
    progress.fail(run, "remote", timezone.now(), from_statuses=("queued",))
    after = Run.objects.get(pk=run.pk)

    assert "Cartoonify! · Ghibli: Failed." in look(as_alice, before)[1]
    Run.objects.filter(pk=run.pk).update(version=99)
    assert "Cartoonify! · Ghibli: Failed." not in look(as_alice, after)[1]


def test_somebody_elses_run_stays_hidden(as_bob: Client, alice: Member) -> None:
    run = make_run(alice)
    run.version = 0

    assert look(as_bob, run) == (204, "")


def test_the_run_page_gets_its_panel_and_changed_boxes_only(as_alice: Client, alice: Member) -> None:
    run = make_run(alice)
    before = Run.objects.get(pk=run.pk)
    Run.objects.filter(pk=run.pk).update(version=2, outputs_ready=1)
    first, second = run.outputs.all()
    run.outputs.filter(pk=first.pk).update(changed_in=2, status="completed", text="words", kind="text")

    status, body = look(as_alice, before, page="run")

    assert status == 200
    assert f"box-{first.public_id}" in body
    assert f"box-{second.public_id}" not in body
    assert "1 of 2 ready" in body


def test_results_that_nobody_expected_come_in_their_places(as_alice: Client, alice: Member) -> None:
    """A list of files arrives for each of the two boxes on the page; on the second place, its second file was expected.
    Boxes that are there stay, so nobody loses what they were reading or typing."""
    run = make_run(alice)
    before = Run.objects.get(pk=run.pk)
    first, second = run.outputs.all()
    run.outputs.filter(pk=second.pk).update(position=3)
    more = {"run": run, "label": "More", "kind": "text", "changed_in": 2}
    third, fourth, fifth, last = (Output.objects.create(position=n, **more) for n in (1, 2, 4, 5))
    Run.objects.filter(pk=run.pk).update(version=2, outputs_total=6)

    page = Page(look(as_alice, before, page="run")[1])

    groups = {
        group.attributes["hx-swap-oob"]: [box.attributes["id"] for box in group.find("figure")]
        for group in page.find("div")
        if "after" in group.attributes.get("hx-swap-oob", "")
    }
    boxes = [f"box-{output.public_id}" for output in (first, third, fourth, second, fifth, last)]
    assert groups == {f"afterend:#{boxes[0]}": boxes[1:3], f"afterend:#{boxes[3]}": boxes[4:]}
    swapped = [box.attributes["id"] for box in page.find("figure") if "hx-swap-oob" in box.attributes]
    assert swapped == []

    run.outputs.filter(pk=first.pk).update(position=9)
    page = Page(look(as_alice, before, page="run")[1])
    first_of_all = next(g for g in page.find("div") if g.attributes.get("hx-swap-oob") == "afterbegin:#outputs")
    assert [box.attributes["id"] for box in first_of_all.find("figure")] == boxes[1:3]


def test_the_end_of_a_run_brings_its_choice_for_guests_and_the_frames_of_its_pictures(
    as_alice: Client, alice: Member
) -> None:
    run = make_run(alice, status="completed")
    for position in range(2):
        make_kept(run, position=position)
    StoredFile.objects.update(width=100, height=300)
    run.outputs.update(changed_in=1)
    seen = {"r": f"{run.public_id}:1.0--progress-2", "page": "run"}

    body = as_alice.get("/live/", seen, headers=HTMX).text

    assert "Choose which of the 2 results to share" in body
    opened = as_alice.get(run.get_absolute_url()).text
    for output in run.outputs.all():
        frame = Page(body).first(id=f"box-{output.public_id}-space")
        assert frame.attributes.pop("hx-swap-oob") == "true"
        assert frame.attributes == Page(opened).first(id=frame.attributes["id"]).attributes
        assert frame.attributes["height"] == "300000"
    Run.objects.update(status="running", finished_at=None)
    body = as_alice.get("/live/", seen, headers=HTMX).text
    assert "-space" not in body  # nothing may move while results are arriving
    assert "Choose which" not in body


@pytest.mark.parametrize("query", ["", "r=", "r=x:y", "r=:::", "r=%00:1", "r=abc:99999999999999999999&page=run"])
def test_nonsense_is_answered_calmly(as_alice: Client, query: str) -> None:
    assert as_alice.get(f"/live/?{query}", headers=HTMX).status_code == (400 if "%00" in query else 204)


@pytest.mark.parametrize("token", ["9" * 5_000, f"1.0-ready-{'9' * 5_000}"], ids=["version", "boxes"])
def test_an_endless_number_is_no_version(as_alice: Client, alice: Member, token: str) -> None:
    run = make_run(alice, status="running", remote_id="r1")
    assert as_alice.get("/live/", {"r": f"{run.public_id}:{token}", "page": "run"}, headers=HTMX).status_code == 200


def test_open_pages_say_that_lamina_is_not_answering_until_it_is_back(
    as_alice: Client, alice: Member, sandbox: SandboxDoor
) -> None:
    run = make_run(alice)

    def banner(shown: str) -> str | None:
        """Return the banner that a page gets which shows the banner `shown`, or None if it keeps that one."""
        _, body = look(as_alice, run, connection=shown)
        return Page(body).first(id="connection").words if 'id="connection"' in body else None

    sandbox.control("faults", endpoint="*", fault="status", status=503, times=None)
    with suppress(LaminaUnavailable):
        lamina().list_runs()
    assert banner("") is None  # one failed call may be chance
    with suppress(LaminaUnavailable):
        lamina().list_runs()
    words = banner("")
    assert words is not None
    assert "New runs wait and start by themselves" in words
    assert "Nothing is lost" in words
    assert banner("away") is None

    sandbox.clear_faults()
    lamina().list_runs()
    assert banner("away") == ""
