"""Running the same again: it has to be confirmed, costs credits only once, and works only as long as the app accepts
the old answers."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from runs.connection import status
from runs.display.cards import RunCard
from runs.engine.create_run import LaunchRequest, launch_run, new_form_token
from runs.models import App, Draft, LaminaStatus, Member, Run, Upload
from runs.schema_forms.answers import load_answers
from tests.support.app_forms import fields, press, run_of, token_in
from tests.support.factories import PROMPT, STYLE, make_app, make_run, make_schema, make_stored
from tests.support.page import Page

pytestmark = pytest.mark.django_db
PHOTO = {"id": "u-1", "name": "Photo", "type": "url"}


@pytest.fixture
def app() -> App:
    return make_app(parameters=[STYLE, PROMPT, PHOTO])


@pytest.fixture
def run(alice: Member, app: App) -> Run:
    photo = Upload.objects.create(member=alice, file=make_stored(), status="ready", name="shoe.png")
    return run_of(alice, app, photo, status="completed", shared_at=timezone.now())


def cards_of(client: Client) -> dict[Run, RunCard]:
    return {card.run: card for _, cards in client.get("/history/").context["groups"] for card in cards}


def changes_on(card: RunCard) -> list[tuple[str, str]]:
    return [(line.label, line.text) for line in card.lines if line.is_changed]


def test_it_asks_with_cost_and_a_double_click_starts_one(as_alice: Client, app: App, run: Run) -> None:
    App.objects.update(credits_expected=12)
    status.record_status(balance=340)
    url = f"/runs/{run.public_id}/again/"
    page = as_alice.get(url).text
    assert "About 12 credits" in page
    assert "340 left" in page

    answers = [as_alice.post(url, {"token": token_in(page)}) for _ in range(2)]

    made = Run.objects.exclude(pk=run.pk).get()
    assert {answer["Location"] for answer in answers} == {made.get_absolute_url()}
    assert made.parent == run
    assert made.wanted_outputs == run.wanted_outputs
    values = [given.value for given in made.inputs.all()]
    assert values[:2] == ["Ghibli", "at sea"]
    assert made.inputs.all()[2].uploads.get().file == run.inputs.all()[2].uploads.get().file


def test_the_card_of_a_run_made_from_another_one_says_what_changed(
    as_alice: Client, alice: Member, app: App, run: Run
) -> None:
    photo = Upload.objects.get()

    for changes in ({"p0": "1"}, {"p1": ""}, {}):
        as_alice.post(app.get_absolute_url(), fields(app, alice, photo, **changes) | {"from": run.public_id})

    Run.objects.update(title="At sea")
    *made, first = Run.objects.order_by("-pk")
    assert {one.parent for one in made} == {run}
    found = cards_of(as_alice)
    same, emptied, styled = (found[one] for one in made)
    assert changes_on(styled) == [("Style:", "Disney / Pixar")]
    assert changes_on(emptied) == [("Prompt:", "(empty)")]
    assert changes_on(same) == changes_on(found[first]) == []
    assert styled.lines[0].is_changed
    assert emptied.lines[0].is_changed
    card = Page(as_alice.get("/history/").text).first(id=f"card-{styled.run.public_id}")
    assert card.first(css="run-card-lines").words.startswith("Changed Style: Disney / Pixar")


def test_inputs_of_the_same_name_are_compared_and_files_by_their_content(as_alice: Client, alice: Member) -> None:
    parameters: list[dict[str, Any]] = [{**PHOTO, "id": f"u-{n}"} for n in range(3)]
    parameters += [{"id": f"t-{n}", "name": "Line", "type": "text"} for n in range(3)]
    app = make_app("Poster", parameters=parameters)

    def made_of(names: str, texts: str, parent: Run | None = None) -> Run:
        files = [make_stored((40 + n, 30)) for n in range(3)]
        uploads = [
            Upload.objects.create(member=alice, file=file, status="ready", name=name)
            for file, name in zip(files, names, strict=True)
        ]
        values = [*({"uploads": [upload.public_id]} for upload in uploads), *texts]
        answers = load_answers([{**one, "value": value} for one, value in zip(parameters, values, strict=True)])
        assert app.schema is not None
        return launch_run(alice, LaunchRequest(app, app.schema, answers, [0], new_form_token(alice), parent=parent))

    first = made_of("abc", "xyz")
    same, other = made_of("def", "xyz", first), made_of("abc", "rst", first)

    found = cards_of(as_alice)
    assert changes_on(found[same]) == []
    assert found[other].run.display_title == "Poster · r"
    assert changes_on(found[other]) == [("Line:", "s"), ("Line:", "t")]


def test_what_is_being_typed_into_the_form_stays(as_alice: Client, alice: Member, app: App, run: Run) -> None:
    Draft.objects.create(member=alice, app=app, answers=[])

    assert press(as_alice, run).status_code == 302

    assert Draft.objects.exists()


def test_a_teammate_runs_it_with_files_of_their_own(as_bob: Client, bob: Member, run: Run) -> None:
    assert press(as_bob, run).status_code == 302

    made = Run.objects.get(member=bob)
    assert made.inputs.all()[2].uploads.get().member == bob


def test_it_is_blocked_without_enough_credits(as_alice: Client, run: Run) -> None:
    App.objects.update(credits_expected=12, credits_min=12)
    LaminaStatus.objects.update_or_create(pk=1, defaults={"balance": 4})

    answer = press(as_alice, run)

    assert answer.status_code == 422
    assert "the balance is 4." in answer.text
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    ("parameters", "fits"),
    [
        ([STYLE, PROMPT, PHOTO], True),
        ([STYLE, {**PROMPT, "name": "Words"}, PHOTO], False),
        ([{**STYLE, "options": ["Other"]}, PROMPT, PHOTO], False),
        ([STYLE, PROMPT], False),
        ([STYLE, PROMPT, PHOTO, {"id": "n", "name": "New", "type": "text"}], False),
        ([STYLE, PROMPT, PHOTO, {"id": "n", "name": "New", "type": "text", "default": "x"}], True),
    ],
    ids=["same", "renamed", "option gone", "question gone", "new needed one", "new optional one"],
)
def test_a_changed_form_leads_to_the_form_unless_all_still_fits(
    as_alice: Client, app: App, run: Run, parameters: list[dict[str, Any]], fits: bool
) -> None:
    app.schema = make_schema(app, parameters=parameters)
    app.save()

    answer = press(as_alice, run)

    assert (answer.status_code == 302) is fits
    assert fits or f"?from={run.public_id}" in answer.text
    assert Run.objects.count() == 1 + fits


def test_a_file_that_is_gone_leads_to_the_form(as_alice: Client, run: Run) -> None:
    Upload.objects.update(status="failed")

    assert "A file from that run is no longer available" in press(as_alice, run).text


def test_the_page_says_that_an_app_is_gone(as_alice: Client, app: App, run: Run) -> None:
    App.objects.update(gone_at=timezone.now())

    answer = press(as_alice, run)

    assert (answer.status_code, Run.objects.count()) == (422, 1)
    assert "Lamina no longer offers this app" in answer.text


def test_somebody_elses_token_starts_nothing(as_alice: Client, as_bob: Client, run: Run) -> None:
    url = f"/runs/{run.public_id}/again/"
    theirs = token_in(as_bob.get(url).text)

    assert as_alice.post(url, {"token": theirs}).status_code == 422
    assert Run.objects.count() == 1


def test_a_title_is_saved_found_and_removed(as_alice: Client, as_bob: Client, run: Run) -> None:
    url = f"/runs/{run.public_id}/rename/"
    as_alice.post(url, {"title": "  Crème   shoes "})
    assert as_bob.post(url, {"title": "Mine"}).status_code == 404

    run.refresh_from_db()
    assert run.title == "Crème shoes"
    assert "Crème shoes" in as_alice.get(run.get_absolute_url()).text
    assert "Crème shoes" in as_alice.get("/history/?q=creme").text
    as_alice.post(url, {"title": ""})
    assert Page(as_alice.get(run.get_absolute_url()).text).first("h1").words == "Cartoonify! · Ghibli"


def test_a_shared_run_says_whose_it_is_and_offers_only_what_one_may(as_bob: Client, as_alice: Client, run: Run) -> None:
    own, theirs = as_alice.get(run.get_absolute_url()).text, as_bob.get(run.get_absolute_url()).text

    assert "by Alice" in Page(theirs).words
    assert "by Alice" not in Page(own).words
    for words in ("/again/", "?from="):
        assert words in theirs
    for words in ("/rename/", "/delete/", f"/runs/{run.public_id}/share/"):
        assert words in own
        assert words not in theirs


def test_only_the_maker_can_cancel(as_bob: Client, as_alice: Client, alice: Member) -> None:
    active = make_run(alice, shared_at=timezone.now())

    assert "/cancel/" in as_alice.get(active.get_absolute_url()).text
    assert "/cancel/" not in as_bob.get(active.get_absolute_url()).text
