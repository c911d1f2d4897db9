"""Every sandbox fault in every main call: the run ends as it should, the page says so, and one press makes one run."""

import pytest

from runs.models import Member, Run
from runs.words.run_failures import FAILURES
from runs.words.run_states import WAITS as WAITING
from tests.hostile.browser import Browser
from tests.hostile.faults import (
    ACTING,
    FAULTS,
    READ_FAULTS,
    REFUSALS,
    ROUNDS,
    WAITS,
    Outcome,
    Stage,
    app_like,
    judge,
    known,
)
from tests.support.quick_portal import step, step_to
from tests.support.sandbox_door import SandboxDoor

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

SAID = {cause: str(sentence) for cause, (sentence, *_) in FAILURES.items()}
AWAY = str(WAITING[Run.Wait.LAMINA])
PLEASE_WAIT = str(WAITING[Run.Wait.RATE])
KEY_REFUSED, FILE_REFUSED = SAID["key"], SAID["files"]
CANCEL_ASKED = "Cancellation requested at"
NOT_STOPPED = "Lamina couldn't stop the run."
START_REFUSED = {
    "400": SAID["refused"],
    "401": KEY_REFUSED,
    "402": "credits left",
    "403": SAID["forbidden"],
    "404": SAID["gone"],
    "old error": SAID["inputs"],
}


@pytest.fixture(params=[False, True], ids=["once", "lasting"])
def is_lasting(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def want(outcome: Outcome, *, end: str, words: str = "", posts: int | None = 1, runs: int = 1) -> None:
    """Add a problem to the outcome for each way it differs from what's expected. Above all, a run must never be started
    twice."""
    checks = {
        f"end is not {end}": outcome.end == end,
        f"not told {words!r}": words in outcome.words,
        f"not {posts} POSTs": posts is None or outcome.posts == posts,
        f"not {runs} runs": outcome.runs == runs,
    }
    outcome.problems += [problem for problem, is_right in checks.items() if not is_right]


def want_meanwhile(outcome: Outcome, *states: str, words: str = "") -> None:
    if outcome.meanwhile not in states:
        outcome.problems.append(f"meanwhile {outcome.meanwhile} and not {states}")
    if words not in outcome.meanwhile_words:
        outcome.problems.append(f"meanwhile told {outcome.meanwhile_words!r} and not {words!r}")


def test_start(lamina_door: SandboxDoor, browser: Browser, alice: Member, is_lasting: bool) -> None:
    stage = Stage(lamina_door, browser, alice, known(lamina_door, app_like("start")))
    outcomes = []
    for name in FAULTS:
        outcome = stage.play("run_start", name, is_lasting=is_lasting)
        outcomes.append(outcome)
        if name in REFUSALS:
            want(outcome, end="failed", words=START_REFUSED[name], runs=0)
        elif name in ACTING:
            want(outcome, end="ready", posts=1)  # found on Lamina, and not sent again
        elif is_lasting:
            want(outcome, end="ready", posts=None)
            words = PLEASE_WAIT if name in WAITS else ""
            want_meanwhile(outcome, "starting", *(() if words else ("checking",)), words=words)
        else:
            want(outcome, end="ready", posts=2)  # sent again after a definite refusal or two checks that found nothing
    judge(outcomes)


def test_an_unclear_start_is_looked_for_and_not_repeated(lamina_door: SandboxDoor, browser: Browser) -> None:
    app = known(lamina_door, app_like("unclear"))
    lamina_door.control("faults", endpoint="run_start", fault="drop_before")

    run = browser.press(browser.open(app))
    step_to("submit_run")

    page = browser.page(run.get_absolute_url())
    assert page.first(id="run-panel").attributes["data-state"] == "checking"
    assert "nothing will be sent twice" in page.first(css="run-sentence").words
    step()
    assert Run.objects.get(pk=run.pk).status == "checking"  # one check isn't enough
    assert len(lamina_door.requests_to("run_start")) == 1


@pytest.mark.parametrize("endpoint", ["upload_urls", "upload_put"])
def test_files_on_their_way(
    lamina_door: SandboxDoor, browser: Browser, alice: Member, endpoint: str, is_lasting: bool
) -> None:
    stage = Stage(lamina_door, browser, alice, known(lamina_door, app_like("files", photo=True)))
    outcomes = []
    for name in FAULTS:
        outcome = stage.play(endpoint, name, is_lasting=is_lasting)
        outcomes.append(outcome)
        if endpoint == "upload_urls" and name in REFUSALS:
            told = {"401": KEY_REFUSED, "402": "credits left"}.get(name, FILE_REFUSED)
            want(outcome, end="failed", words=told, posts=0, runs=0)
        elif endpoint == "upload_put" and name in ("garbage", "empty"):
            # The upload only seemed to succeed: the file is missing, which Lamina reports once it needs the file.
            want(outcome, end="failed", words=START_REFUSED["old error"], posts=1, runs=0)
        else:
            want(outcome, end="ready", posts=1)
            if is_lasting and (endpoint == "upload_urls" or name not in ("garbage acting", "truncated")):
                told = str(WAITING[Run.Wait.FILES]) if endpoint == "upload_put" else AWAY
                want_meanwhile(outcome, "starting", words=PLEASE_WAIT if told == AWAY and name in WAITS else told)
    judge(outcomes)


def test_reading_the_run(lamina_door: SandboxDoor, browser: Browser, alice: Member, is_lasting: bool) -> None:
    stage = Stage(lamina_door, browser, alice, known(lamina_door, app_like("run")))
    outcomes = []
    for name in READ_FAULTS:
        stage.rounds = 40 if name == "404" else ROUNDS  # the portal believes the third "no such run"
        outcome = stage.play("run", name, is_lasting=is_lasting)
        outcomes.append(outcome)
        if is_lasting and name == "404":
            want(outcome, end="failed", words="Lamina no longer has this run.")
        else:
            want(outcome, end="ready")
            if is_lasting:
                want_meanwhile(outcome, "progress")
    judge(outcomes)


def test_reading_the_list(lamina_door: SandboxDoor, browser: Browser, alice: Member, is_lasting: bool) -> None:
    stage = Stage(lamina_door, browser, alice, known(lamina_door, app_like("list")))
    stage.rounds = 5  # after two bad responses in a row, the portal treats Lamina as unreachable
    outcomes = []
    for name in READ_FAULTS:
        outcome = stage.play("runs", name, is_lasting=is_lasting)
        outcomes.append(outcome)
        want(outcome, end="ready")
        if is_lasting:
            is_asked_by_id = name in REFUSALS and name != "401"
            want_meanwhile(outcome, "ready" if is_asked_by_id else "progress")
            away = name not in (*REFUSALS, *WAITS)
            if away != ("Lamina hasn't been answering since" in outcome.banner):
                outcome.problems.append(f"banner {outcome.banner!r}")
    judge(outcomes)


def test_cancelling(lamina_door: SandboxDoor, browser: Browser, alice: Member, is_lasting: bool) -> None:
    stage = Stage(lamina_door, browser, alice, known(lamina_door, app_like("cancel", outcome="never")))
    stage.before_fault = lambda run: browser.post(f"{run.get_absolute_url()}cancel/")
    outcomes = []
    for name in FAULTS:
        outcome = stage.play("cancel", name, is_lasting=is_lasting, is_late=True)
        outcomes.append(outcome)
        if (name in REFUSALS and name != "401") or (name == "empty" and is_lasting):
            want(outcome, end="ready")  # nothing stopped the run, so it continued
            want_meanwhile(outcome, "progress", words=NOT_STOPPED if name in REFUSALS else "")
        else:
            want(outcome, end="cancelled", words="Stopped by Alice.")
            if is_lasting and name not in ACTING:
                want_meanwhile(outcome, "progress", words=CANCEL_ASKED)
    judge(outcomes)
