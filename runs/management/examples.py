"""Creates a dozen finished runs in a new sandbox portal, so that newcomers have something to look at.

The runs are created in the usual way: `launch_run` stores a run, a worker sends it to the sandbox over HTTP, and the
results are fetched and saved. Only a few examples run at a time. While somebody is waiting for a run of their own, no
more examples are started and no results of examples are saved, so as not to delay the portal's start or anyone's first
picture. The two examples that newcomers look for are the exception: they start immediately, and can be seen while they
are in progress. Each finished run is shared, starred and backdated as if the demo members had been working for a few
days. The sandbox refunds the credits for each example, so that only people's own runs change the balance (see also
`connection.balance`). `history.examples` removes the runs.
"""

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import requests
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from runs.background import leases
from runs.background.queue import enqueue_long
from runs.engine.create_run import LaunchRequest, launch_run
from runs.engine.save_outputs import is_anyone_waiting
from runs.history import bin, stars, titles
from runs.history.examples import unclaimed
from runs.launching import presets
from runs.launching.app_form import app_form
from runs.launching.next_version import replaced_by
from runs.management import example_review
from runs.management.example_review import needs_next
from runs.models import App, GuestLink, Member, Output, OutputFile, Preset, Run
from runs.schema_forms.answers import Answer
from runs.sharing import links
from runs.spending import charges
from runs.spending.limits import LimitReached
from runs.web.demo_accounts import DEMO_EMAILS

logger = logging.getLogger("runs.examples")

AT_ONCE = 3
PAUSE_SECONDS = 1.0
LONGEST_SECONDS = 900
LEASE, LEASE_SECONDS = "examples", 120.0  # so that only one task at a time creates examples
CONTROL_SECONDS = 5
DATED_BACK = timedelta(minutes=30)  # finished examples are backdated by at least this much
DEMO, SAM = "demo@example.com", "sam@example.com"


@dataclass(frozen=True)
class Example:
    """A run to create. `app` is an app id on Lamina; `inputs` maps keys to values; all other inputs use the app's
    defaults."""

    app: str
    maker: str
    hours_ago: float  # at least 1
    inputs: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    is_shared: bool = False
    is_starred: bool = False
    guest: str = ""  # who a guest link to the results is for
    preset: str = ""  # name of a team preset with the same inputs
    next_of: str = ""  # label of an earlier example's result; this run makes its next version
    is_early: bool = False  # made before the others and shared from the start, because newcomers look for it first

    @property
    def age(self) -> timedelta:
        return timedelta(hours=self.hours_ago)


EXAMPLES = (
    Example("3f68debe-df0a-4fc9-bdd3-9d45a4160587", DEMO, 75, {"Style": "Ghibli"}),
    Example(
        "sandbox-packshot",
        DEMO,
        26,
        {"background_text": "Pastel", "light_text": "Hard sunlight"},
        title="Bottle for the spring page",
        is_shared=True,
        guest="Kim at Northwind",
        preset="Spring look",
    ),
    Example(
        "sandbox-packshot",
        DEMO,
        20,
        {"background_text": "Pastel", "light_text": "Soft window light"},
        title="Bottle for the spring page",
        is_shared=True,
        next_of="Detail",
    ),
    Example(
        "sandbox-social-kit", DEMO, 5, {"headline_text": "Two for one, this week only"}, "Autumn sale", is_starred=True
    ),
    Example("sandbox-logo", DEMO, 3, {"brand_name_text": "Half Moon Bakery", "mood_text": "Friendly"}),
    Example(
        "sandbox-newsletter",
        DEMO,
        50,
        {"thema_text": "Öffnungszeiten im Advent", "das_wichtigste_text": "Jeden Samstag bis 20 Uhr geöffnet."},
    ),
    Example("sandbox-jingle", DEMO, 28, {"mood_text": "Happy", "instrument_text": "Music box"}, "Bakery jingle"),
    Example("sandbox-pattern", DEMO, 1.5, {"palette_text": "Terracotta"}, is_shared=True, is_starred=True),
    Example(
        "sandbox-affiche",
        SAM,
        27,
        {"titre_text": "Fête de la musique", "date_et_lieu_text": "Samedi 21 juin, place du Marché"},
        is_shared=True,
    ),
    Example(
        "sandbox-room", SAM, 4, {"interior_style_text": "Japandi", "time_of_day_text": "Evening"}, "Flat in the north"
    ),
    Example(
        "sandbox-product-reel",
        SAM,
        7 * 24,
        {"visual_style_text": "Nature"},
        title="Red shoe",
        is_shared=True,
        is_early=True,
    ),
    Example("sandbox-banner-ja", SAM, 51, {"catch_copy_text": "新茶、入荷しました"}),
    Example(
        "sandbox-description",
        SAM,
        2,
        {
            "product_text": "Linen apron with two pockets",
            "facts_text": "100% washed linen\nOne size, ties at the back\nMade in Portugal",
            "tone_text": "Warm",
        },
        is_shared=True,
    ),
    Example(
        "sandbox-hintergrund",
        SAM,
        7 * 24,
        {"hintergrund_text": "Marmor"},
        title="Roter Schuh auf weißem Marmor",
        is_shared=True,
        is_early=True,
    ),
)


def request_examples() -> None:
    """Queue the task that creates the examples, if this is a sandbox that nobody has used yet."""
    if _is_wanted():
        enqueue_long("make_examples", timeout_seconds=LONGEST_SECONDS + 60)


def request_rest() -> None:
    """Queue the task again if it gave up on examples whose results have arrived since then. The pulse calls this."""
    if settings.IS_SANDBOX and not leases.is_held(LEASE) and any(map(_is_left, Run.objects.filter(is_example=True))):
        enqueue_long("make_examples", timeout_seconds=LONGEST_SECONDS + 60)


def _is_left(run: Run) -> bool:
    return not is_finished(run) and _has_its_results(run)


def _is_wanted() -> bool:
    """Return whether to create examples: if nobody has used the portal yet, or if it stopped while creating them."""
    if not settings.IS_SANDBOX:
        return False
    runs = list(Run.objects.filter(is_example=True))
    if not all(is_finished(run) for run in runs):
        return True
    if Run.objects.filter(is_example=False).exists():
        return False
    if runs:
        return len(runs) < len(EXAMPLES) and not is_put_away()
    return not Member.objects.filter(last_login__isnull=False).exists()


def is_put_away() -> bool:
    """Return whether somebody chose to start with an empty portal. Deleting only some of the examples doesn't count."""
    is_left = unclaimed().filter(created_at__lt=timezone.now() - DATED_BACK).exists()
    return not is_left and Run.objects.filter(is_example=True, deleted_at__isnull=False).exists()


def make_examples() -> None:
    """Create all examples; give up after LONGEST_SECONDS."""
    deadline = time.monotonic() + LONGEST_SECONDS
    with leases.hold(LEASE, LEASE_SECONDS) as renew:
        while renew and not advance() and renew() and time.monotonic() < deadline:
            time.sleep(PAUSE_SECONDS)


def advance() -> bool:
    """Finish the examples that have their results, and start the next ones. Return True when nothing is left to do."""
    people = Member.objects.filter(email__in=DEMO_EMAILS, is_active=True).in_bulk(field_name="email")
    runs_by_token = {run.form_token: run for run in Run.objects.filter(is_example=True).select_related("member")}
    if people.keys() < DEMO_EMAILS:
        return True
    begun = [(example, runs_by_token[token_of(example)]) for example in EXAMPLES if token_of(example) in runs_by_token]
    unfinished = [(example, run) for example, run in begun if not is_finished(run)]
    for example, run in unfinished:
        if _has_its_results(run):
            _finish(example, run)
    waiting = (
        []
        if is_put_away()
        else [e for e in EXAMPLES if token_of(e) not in runs_by_token and _is_possible(e, runs_by_token)]
    )
    now = [example for example in waiting if example.is_early] if is_anyone_waiting() else waiting
    _launch(now, people, at_most=AT_ONCE - len(unfinished))
    return not waiting and not unfinished


def _is_possible(example: Example, runs_by_token: Mapping[str, Run]) -> bool:
    """Return whether the example can be made. A next version can't be made if the earlier run ended without a result
    that needs changes."""
    earlier = runs_by_token.get(token_of(_before(example))) if example.next_of else None
    return earlier is None or not is_finished(earlier) or needs_next(earlier, example.next_of) is not None


def _before(example: Example) -> Example:
    """Return the example that this one builds on: it makes a new version of that example's result."""
    return next(other for other in EXAMPLES if other.app == example.app and not other.next_of)


def token_of(example: Example) -> str:
    return f"example-{EXAMPLES.index(example)}"


def is_finished(run: Run) -> bool:
    """Return whether the run has been backdated, which is the last step for an example."""
    if run.sent_at is None:
        return not run.is_active  # it couldn't be started
    return run.created_at < run.sent_at - DATED_BACK


def _launch(waiting: list[Example], people: Mapping[str, Member], at_most: int) -> None:
    """Start all early examples in `waiting`, and then others, up to `at_most` in total. Skips examples whose app's form
    or estimate hasn't arrived from the sandbox yet."""
    arrived = App.objects.select_related("schema").filter(schema__isnull=False, estimated_at__isnull=False)
    apps = {app.remote_id: app for app in arrived.filter(remote_id__in=[example.app for example in waiting])}
    ready = [example for example in waiting if example.app in apps and (not example.next_of or _replaced(example))]
    early = [example for example in ready if example.is_early]
    others = [example for example in ready if not example.is_early]
    for example in [*early, *others[: max(0, at_most - len(early))]]:
        _press_run(example, apps[example.app], people[example.maker])


def _replaced(example: Example) -> Output | None:
    """Return the result that the example makes the next version of, if it already needs changes."""
    earlier = Run.objects.filter(is_example=True, form_token=token_of(_before(example))).first()
    return needs_next(earlier, example.next_of) if earlier is not None else None


def _press_run(example: Example, app: App, member: Member) -> None:
    """Start the run for `example`, as if its maker had filled in the form and pressed Run."""
    assert app.schema is not None  # noqa: S101 - `_launch` has checked it
    answers = [
        Answer(p["name"], p.get("key") or "", p["id"], p["type"], example.inputs[key])
        for p in app.schema.parameters
        if (key := p.get("key") or p["name"]) in example.inputs
    ]
    form = app_form(member, app, app.schema, answers=answers)
    replaced = _replaced(example) if example.next_of else None
    replaces = replaced_by(replaced, app.schema, [])
    press = LaunchRequest(
        app,
        app.schema,
        form.draft_answers(),
        sorted(replaces) or form.wanted_outputs(),
        token_of(example),
        parent=replaced.run if replaced else None,
        is_private=True,
        keeps_draft=True,
        replaces=replaces,
    )
    with suppress(LimitReached), transaction.atomic():  # an admin has already set a limit
        run = launch_run(member, press)
        shared_at = run.created_at if example.is_early and example.is_shared else None
        Run.objects.filter(pk=run.pk).update(is_example=True, shared_at=shared_at)
        charges.date_back(run, run.created_at - example.age)
        if example.title:
            titles.rename(run, example.title)


def _has_its_results(run: Run) -> bool:
    is_saving = OutputFile.objects.filter(output__run=run, status=OutputFile.Status.SAVING).exists()
    return not run.is_active and not is_saving


@transaction.atomic
def _finish(example: Example, run: Run) -> None:
    """Do with the results what the maker would have done, and backdate the run."""
    is_removed = is_put_away()
    if run.status == Run.Status.COMPLETED:
        _use_results(example, run, is_removed=is_removed)
    if is_removed:
        bin.move_to_bin(Run.objects.filter(pk=run.pk), None, timezone.now())
    if run.remote_id and run.credits_estimated:
        transaction.on_commit(partial(_give_back, float(run.credits_estimated)))
    back = example.age
    is_shared = example.is_shared and bool(run.shared_at or not example.is_early)  # somebody may have stopped sharing
    Run.objects.filter(pk=run.pk).update(
        created_at=F("created_at") - back,
        started_at=F("started_at") - back,
        running_at=F("running_at") - back,
        finished_at=F("finished_at") - back,
        shared_at=F("finished_at") - back if is_shared else None,
        version=F("version") + 1,
    )
    if run.status == Run.Status.COMPLETED and not example.next_of and not is_removed:
        example_review.begin(example.app, run)


def _give_back(credits: float) -> None:
    """Refund the cost of an example to the sandbox's account, so that the balance doesn't change."""
    try:
        url = f"{settings.LAMINA_BASE_URL}/control/balance"
        requests.post(url, json={"add": credits}, timeout=CONTROL_SECONDS).raise_for_status()
    except requests.RequestException as error:
        logger.warning("the sandbox didn't give back the credits of an example: %s", error)


def _use_results(example: Example, run: Run, *, is_removed: bool) -> None:
    """Set the title, star the run, create a guest link and save a preset, depending on what the example asks for.

    If `is_removed`, the run is about to go to the bin. Links and presets can't go to the bin, so none are created in
    that case.
    """
    if example.title and not run.title:
        titles.rename(run, example.title)
    if example.is_starred:
        stars.star_run(run, run.member, timezone.now(), is_on=True)
    if is_removed:
        return
    if example.guest:
        _show_to(example.guest, run)
    if example.preset:
        preset = Preset(member=run.member, app=run.app, name=example.preset, is_team=True, is_example=True)
        preset.answers = run.answers
        presets.save_preset(preset)


def _show_to(guest: str, run: Run) -> None:
    outputs = links.outputs_for(run.member, run.outputs.values_list("public_id", flat=True))
    if outputs:
        link = links.make_link(run.member, outputs)
        GuestLink.objects.filter(pk=link.pk).update(audience=guest, may_download=True, is_example=True)
