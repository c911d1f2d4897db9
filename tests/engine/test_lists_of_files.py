"""An output that is a list of files: each file is a result of its own, however often and in whatever order Lamina tells
about it."""

import zipfile
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from runs.engine import apply_outputs, match_outputs, progress
from runs.engine.save_outputs import FILES
from runs.lamina.types import RunSnapshot
from runs.models import App, Charge, Entry, HeldOutputs, Member, Output, OutputFile, ReviewItem, Run
from runs.review import requests
from runs.sharing import links
from tests.engine.steps import hand_over, press_words, watch_once
from tests.support.cartoonify import known_app
from tests.support.factories import make_app, make_run
from tests.support.guest_links import path_of
from tests.support.page import Page
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db
VIEWS, CAPTION = "Views", "Caption"
SITE = "https://x.test/"


@pytest.fixture
def app() -> App:
    kinds = ((VIEWS, "image"), (CAPTION, "text"))
    return make_app(outputs=[{"index": n, "label": label, "type": kind} for n, (label, kind) in enumerate(kinds)])


@pytest.fixture
def run(alice: Member, app: App) -> Run:
    run = make_run(alice, app, remote_id="r1")
    for box in run.outputs.all():
        box.schema_index = box.position
        box.save()
    return run


def tell(run: Run, views: Any, status: str = "completed", *, is_final: bool = False, caption: str = "") -> bool:
    """Apply a response from Lamina: the output Views has the value `views` (letters stand for a list of the files
    with these names), and Caption has `caption` if there is one."""
    is_letters = isinstance(views, str) and not views.startswith(SITE)
    value = [f"{SITE}{letter}" for letter in views] if is_letters else views
    rows = [{"id": "v", "label": VIEWS, "type": "image", "value": value, "status": status}]
    if caption:
        rows.append({"id": "c", "label": CAPTION, "type": "text", "value": caption, "status": "completed"})
    answer = {"runId": run.remote_id, "status": "completed" if is_final else "running", "outputs": rows}
    return progress.apply_snapshot(run, RunSnapshot.model_validate(answer), timezone.now())


def results_of(run: Run) -> list[str]:
    """Return the run's results in order: the letters of its files, or its text; "" if there is nothing yet."""
    letters = [[file.source_url.removeprefix(SITE) for file in box.files.all()] for box in run.outputs.all()]
    return [" ".join(files) or box.text for box, files in zip(run.outputs.all(), letters, strict=True)]


def numbers_of(run: Run) -> list[tuple[int, int, str]]:
    return list(run.outputs.values_list("position", "list_number", "remote_id"))


def test_each_file_is_a_result_beside_the_others(run: Run, as_alice: Client) -> None:
    assert tell(run, "abc", caption="words")

    assert results_of(run) == ["a", "b", "c", "words"]
    assert numbers_of(run) == [(0, 1, "v"), (1, 2, "v"), (2, 3, "v"), (3, 1, "c")]
    assert set(run.outputs.filter(remote_id="v").values_list("schema_index", "label", "kind")) == {(0, VIEWS, "image")}
    run.refresh_from_db()
    assert (run.outputs_ready, run.outputs_total, run.kinds) == (4, 4, " image text ")
    labels = [label.words for label in Page(as_alice.get(run.get_absolute_url()).text).find("a", css="output-label")]
    assert labels == [f"{VIEWS} {n} of 3" for n in (1, 2, 3)] + [CAPTION]


@pytest.mark.parametrize(
    "reads",
    [
        [("abc", False)] * 4 + [("abc", True)] * 2,  # told again and again
        [("a", False), ("ab", False), ("abc", True)],  # grows
        [("abc", False), ("ab", True)],  # has fewer at the end
        [("abc", False), ("", True)],
        [(None, False), ("abc", True)],
        [(f"{SITE}a", False), ("abc", True)],  # was no list at first
        [(["", f"{SITE}b"], False), ("abc", True)],  # one came late
        [("abc", False), (f"{SITE}a", True)],
        [("abc", False), (["https://x.test/a?signed=2", f"{SITE}b"], True)],  # the addresses are signed anew each time
    ],
)
def test_the_results_are_the_same_in_whatever_order_they_are_told(run: Run, reads: list[tuple[Any, bool]]) -> None:
    for views, is_final in reads:
        tell(run, views, is_final=is_final, caption="words")

    assert results_of(run) == ["a", "b", "c", "words"]
    assert OutputFile.objects.count() == 3
    run.refresh_from_db()
    assert (run.status, run.outputs_ready, run.outputs_failed, run.outputs_total) == ("completed", 4, 0, 4)


def test_what_is_told_again_changes_nothing(run: Run) -> None:
    tell(run, "abc")
    before = list(Output.objects.values()), list(OutputFile.objects.values())

    assert not tell(run, "abc")

    assert (list(Output.objects.values()), list(OutputFile.objects.values())) == before


def test_each_file_has_its_own_data(run: Run) -> None:
    tell(run, [{"url": f"{SITE}a", "seed": 1}, {"url": f"{SITE}b", "seed": 2}], caption="words")

    assert results_of(run) == ["a", "b", "words"]
    assert [box.raw_value for box in run.outputs.all()][:2] == [
        {"url": f"{SITE}a", "seed": 1},
        {"url": f"{SITE}b", "seed": 2},
    ]


@pytest.mark.parametrize(
    ("value", "files"),
    [
        (f"{SITE}a,{SITE}b", ["a", "b"]),
        ([f"{SITE}a"], ["a"]),
        ([f"{SITE}a", f"{SITE}a", None, "", f"{SITE}b"], ["a", "b"]),
        ([f"{SITE}a", "in words", f"{SITE}b"], ["a b"]),  # not a list of files
        ({"main": f"{SITE}a", "back": f"{SITE}b"}, ["a b"]),
        ([[f"{SITE}a", f"{SITE}b"], [f"{SITE}c"]], ["a b c"]),
    ],
)
def test_only_a_list_of_files_is_taken_apart(run: Run, value: Any, files: list[str]) -> None:
    tell(run, value, is_final=True, caption="words")
    assert results_of(run) == [*files, "words"]


def test_a_list_that_was_stored_as_one_result_stays_one(run: Run) -> None:
    """It came before the update, while the run was in progress."""
    first = run.outputs.get(position=0)
    value = [f"{SITE}a", f"{SITE}b"]
    OutputFile.objects.bulk_create(OutputFile(output=first, position=n, source_url=url) for n, url in enumerate(value))
    run.outputs.filter(pk=first.pk).update(status="completed", remote_id="v", raw_value=value)

    tell(run, "abc", is_final=True, caption="words")

    assert results_of(run) == ["a b", "words"]


@pytest.mark.parametrize(("count", "results"), [(499, 500), (500, 2)])
def test_a_list_that_is_too_long_for_single_results_stays_one_and_says_so(
    run: Run, as_alice: Client, count: int, results: int
) -> None:
    """The run has another result, so 499 files are the most."""
    urls = [f"{SITE}{n}" for n in range(count)]
    tell(run, urls, caption="words")
    tell(run, urls, caption="words", is_final=True)

    assert (run.outputs.count(), OutputFile.objects.count()) == (results, count)
    run.refresh_from_db()
    assert run.outputs_total == results <= match_outputs.OUTPUTS_PER_RUN
    told = "These 500 files stay one result: a run has at most 500."
    OutputFile.objects.all().update(status="failed")
    for url in (run.get_absolute_url(), run.outputs.all()[0].get_absolute_url()):
        assert (told in Page(as_alice.get(url).text).words) is (results == 2)


def test_a_list_of_501_files_keeps_them_all(run: Run) -> None:
    run.outputs.filter(position=1).delete()
    tell(run, [f"{SITE}{n}" for n in range(501)], is_final=True)
    assert (run.outputs.count(), OutputFile.objects.count()) == (1, 501)


def test_a_list_without_an_end_is_cut_and_says_so(run: Run, as_alice: Client) -> None:
    most = apply_outputs.FILES_PER_OUTPUT
    tell(run, [f"{SITE}{n}" for n in range(most + 1)], is_final=True, caption="words")
    assert OutputFile.objects.count() == most
    OutputFile.objects.all().update(status="failed")
    told = f"Lamina made {most + 1:,} files. The portal has the first {most:,}."
    assert told in Page(as_alice.get(run.get_absolute_url()).text).words


def test_lists_share_the_room_in_a_run(alice: Member) -> None:
    labels = ("One", "Two", "Three")
    app = make_app(outputs=[{"index": n, "label": label, "type": "image"} for n, label in enumerate(labels)])
    run = make_run(alice, app)
    rows = [
        {"id": label, "label": label, "type": "image", "value": [f"{SITE}{label}{n}" for n in range(200)]}
        for label in labels
    ]
    for told, status in ((rows[1:2], "running"), (rows, "running"), (rows, "completed")):
        answer = {"runId": run.remote_id, "status": status, "outputs": told}
        progress.apply_snapshot(run, RunSnapshot.model_validate(answer), timezone.now())

    assert OutputFile.objects.count() == 600
    counts = {label: run.outputs.filter(label=label).count() for label in labels}
    assert counts == {"One": 200, "Two": 200, "Three": 1}
    assert list(run.outputs.values_list("position", flat=True)) == list(range(401))


# --- Versions ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def second(alice: Member, run: Run) -> Run:
    """Return a run in progress that makes version 2 of the second and the fourth of four files."""
    tell(run, "abcd", is_final=True, caption="words")
    made = make_run(alice, run.app, outputs_total=2)
    made.outputs.all().delete()
    for position, file in enumerate((1, 3)):
        first = run.outputs.get(position=file)
        box = {"label": VIEWS, "kind": "image", "schema_index": 0, "list_number": first.list_number}
        made.outputs.create(position=position, line=first, number=2, **box)
    return made


def versions_of(run: Run) -> dict[int, str]:
    """Return the letters of the files that became next versions, by the position of the file they are versions of."""
    found = {box.pk: letters for box, letters in zip(run.outputs.all(), results_of(run), strict=True)}
    return {box.line.position: found[box.pk] for box in run.outputs.all() if box.line is not None}


@pytest.mark.parametrize("parts", [["efgh"], ["efg", "efgh"], ["e", "efgh", "efgh"], [None, "efgh"]])
def test_the_next_version_is_the_file_in_the_same_place_and_the_rest_are_extra(second: Run, parts: list[Any]) -> None:
    for views in parts[:-1]:
        tell(second, views)
    tell(second, parts[-1], is_final=True)

    assert versions_of(second) == {1: "f", 3: "h"}
    assert results_of(second) == ["e", "f", "g", "h"]
    assert not HeldOutputs.objects.exists()
    second.refresh_from_db()
    assert (second.status, second.outputs_ready, second.outputs_total) == ("completed", 4, 4)


@pytest.mark.parametrize("is_told_before", [True, False])
def test_if_as_many_files_come_as_are_missing_they_are_the_versions(second: Run, is_told_before: bool) -> None:
    """Somebody has asked the app for two pictures instead of four."""
    if is_told_before:
        tell(second, "ef")  # more may come
        assert versions_of(second) == {1: "f", 3: ""}
    tell(second, "ef", is_final=True)
    assert versions_of(second) == {1: "f", 3: "e"}
    assert not HeldOutputs.objects.exists()


@pytest.mark.parametrize("is_told_before", [True, False])
def test_a_single_file_for_a_single_version_is_the_version(second: Run, is_told_before: bool) -> None:
    second.outputs.filter(list_number=2).delete()
    if is_told_before:
        tell(second, f"{SITE}e")
        assert results_of(second) == [""]
    tell(second, f"{SITE}e", is_final=True)
    assert (versions_of(second), results_of(second)) == ({3: "e"}, ["e"])


def test_if_there_is_no_telling_which_file_is_which_they_are_extra(second: Run) -> None:
    second.outputs.filter(list_number=2).delete()
    tell(second, "ef", is_final=True)
    assert (versions_of(second), results_of(second)) == ({3: ""}, ["e", "f", ""])
    assert list(second.outputs.values_list("status", flat=True)) == ["completed", "completed", "error"]


def test_files_that_wait_are_extra_if_somebody_gives_the_run_up(second: Run) -> None:
    tell(second, f"{SITE}e")
    assert results_of(second) == ["", ""]
    assert progress.fail(second, "silent", timezone.now(), from_statuses=("running",))
    assert sorted(results_of(second)) == ["", "", "e"]
    assert versions_of(second) == {1: "", 3: ""}


def test_a_list_that_failed_fails_for_each_of_its_versions(second: Run) -> None:
    tell(second, None, "error", is_final=True)
    assert list(second.outputs.values_list("status", "remote_id")) == [("error", "v")] * 2
    second.refresh_from_db()
    assert (second.outputs_failed, second.outputs_total) == (2, 2)


def test_a_list_that_failed_stays_failed(run: Run) -> None:
    tell(run, None, "error")
    tell(run, "abc", is_final=True, caption="words")
    assert list(run.outputs.values_list("status", flat=True)) == ["error", "completed"]


# --- What depends on results ------------------------------------------------------------------------------------------
def test_whoever_is_asked_about_a_list_in_progress_is_asked_about_each_file(run: Run, alice: Member) -> None:
    views, caption = run.outputs.all()
    asked = requests.ask(alice, [views, caption])
    only_caption = requests.ask(alice, [caption])
    closed = requests.ask(alice, [views])
    requests.close(closed, alice)

    for is_final in (False, False, True):
        tell(run, "abc", is_final=is_final, caption="words")

    def items(request: Any) -> list[str]:
        return [item.output.raw_value or item.output.text for item in ReviewItem.objects.filter(request=request)]

    assert items(asked) == [f"{SITE}a", "words", f"{SITE}b", f"{SITE}c"]
    assert (items(only_caption), items(closed)) == (["words"], [f"{SITE}a"])


def test_the_other_files_beside_a_next_version_are_nobodys_business(second: Run, run: Run, alice: Member) -> None:
    asked = requests.ask(alice, [run.outputs.get(position=1)])
    tell(second, "efgh", is_final=True)
    assert asked.items.count() == 1


def made_in_the_sandbox(alice: Member, sandbox: SandboxDoor, **values: Any) -> Run:
    """Run the app whose first output is a list of pictures, and save what it made."""
    Member.objects.filter(pk=alice.pk).update(role="approver")
    sandbox.control("script", appId=None, times=1, outcome="never", values=values)
    run = hand_over(press_words(alice, known_app("card-value-list")))
    Run.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(minutes=1))  # old enough to be polled
    sandbox.control(f"runs/{run.remote_id}", status="completed")
    watch_once()
    FILES.run()
    return Run.objects.get(pk=run.pk)


def decide(client: Client, output: Output, verdict: str, note: str = "") -> None:
    output.refresh_from_db()
    given = {"verdict": verdict, "note": note, "seen": output.decided_in}
    client.post(f"{output.get_absolute_url()}decide/", given)


def files_in(client: Client, query: str) -> list[str]:
    """Return the names of the files in a zip, apart from the sheet; without their app and day."""
    content = b"".join(client.get(f"/download/{query}").streaming_content)  # type: ignore[attr-defined]
    names = zipfile.ZipFile(BytesIO(content)).namelist()
    return [name.split("_", 1)[1].rsplit("_", 1)[0] for name in names if not name.endswith(".csv")]


@pytest.mark.django_db(transaction=True)
def test_a_verdict_belongs_to_one_file(alice: Member, as_alice: Client, sandbox: SandboxDoor) -> None:
    run = made_in_the_sandbox(alice, sandbox)
    first, second, third, _caption = run.outputs.all()
    assert Charge.objects.get().hundredths == 650  # the same as for a list that is one result

    decide(as_alice, second, "approved")
    decide(as_alice, third, "changes", "Warmer")

    assert list(run.outputs.values_list("verdict", flat=True)) == ["", "approved", "changes", ""]
    labels = Entry.objects.filter(verb="result.decided").order_by("pk").values_list("object_label", flat=True)
    assert [label.partition(" · ")[0] for label in labels] == ["Three pictures 2", "Three pictures 3"]
    run.refresh_from_db()
    assert (run.outputs_approved, run.outputs_changes, run.verdicts) == (1, 1, " approved changes none ")
    everything = ["three-pictures", "three-pictures_2", "three-pictures_3", "caption"]
    assert files_in(as_alice, f"?r={run.public_id}") == everything
    assert files_in(as_alice, f"?r={run.public_id}&only=approved") == ["three-pictures_2"]
    comparison = Page(as_alice.get(f"/compare/?f={first.public_id},{second.public_id}").text)
    assert comparison.first(id=f"verdict-{second.public_id}").first(css="verdict-word").words == "Approved"
    assert comparison.first(id=f"verdict-{first.public_id}").find(css="verdict-word") == []
    guest = Page(Client().get(path_of(links.make_link(alice, [second]))).text)
    assert len(guest.find(css="guest-result")) == 1


@pytest.mark.django_db(transaction=True)
def test_a_file_that_could_not_be_saved_leaves_the_others_to_be_approved(
    alice: Member, as_alice: Client, sandbox: SandboxDoor
) -> None:
    urls = [f"{sandbox.url}/{path}" for path in ("samples/a.jpg", "outputs/none/0.jpg", "samples/b.jpg")]
    run = made_in_the_sandbox(alice, sandbox, **{"0": urls})
    OutputFile.objects.filter(status="saving").update(status="failed", due_at=None)

    for output in run.outputs.all():
        decide(as_alice, output, "approved")

    assert list(run.outputs.values_list("verdict", flat=True)) == ["approved", "", "approved", "approved"]
    missing = run.outputs.get(list_number=2)
    page = Page(as_alice.get(run.get_absolute_url()).text)
    assert "Could not be saved" in page.first(id=f"box-{missing.public_id}").words
