"""Who may see, change and share what: each rule exists in two forms, for a single row and for lists, which must
agree."""

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from django.db.models import Model, QuerySet
from django.utils import timezone

from runs.models import App, GuestLink, Member, Preset, ReviewRules, Run, RunInput, SharingRules, Upload
from runs.models.link_access import may_extend, may_restore
from runs.models.sharing import is_alive_at
from runs.spending.estimates import NOT_OPEN, cost_line
from tests.support.clients import client_of
from tests.support.factories import make_app, make_run

ROOT = Path(__file__).parents[2]
ROLES = {
    "owner": "maker",
    "teammate": "maker",
    "approver": "approver",
    "admin": "admin",
    "viewer": "viewer",  # has rows from when they could still run apps
    "deactivated": "maker",
    "deactivated admin": "admin",
}
SECOND = timedelta(seconds=1)
RUN_STATES = ("private", "shared", "binned", "shared and binned")
Rows = dict[tuple[str, str], Model]


@pytest.fixture
def people(make_member: Callable[..., Member]) -> dict[str, Member]:
    made = {who: make_member(who.replace(" ", "-"), role=role) for who, role in ROLES.items()}
    Member.objects.filter(pk__in=[made[who].pk for who in made if "deactivated" in who]).update(is_active=False)
    return {who: Member.objects.get(pk=member.pk) for who, member in made.items()}


@pytest.fixture
def app(db: None) -> App:
    return make_app()


@pytest.fixture
def runs(people: dict[str, Member], app: App) -> Rows:
    """Return a run for each combination of person and state."""
    now = timezone.now()
    return {
        (who, state): make_run(
            member,
            app,
            status="completed",
            shared_at=now if "shared" in state else None,
            deleted_at=now if "binned" in state else None,
        )
        for who, member in people.items()
        for state in RUN_STATES
    }


@pytest.fixture
def presets(people: dict[str, Member], app: App) -> Rows:
    """For each person, a private preset and one shared with the team."""
    return {
        (who, state): Preset.objects.create(app=app, member=member, name=state, is_team=state == "shared")
        for who, member in people.items()
        for state in ("private", "shared")
    }


@pytest.fixture
def links(people: dict[str, Member]) -> Rows:
    """For each person, an open and a revoked guest link."""
    now = timezone.now()
    return {
        (who, state): GuestLink.objects.create(
            nonce="n",
            token_hash=f"{who} {state}",
            member=member,
            expires_at=now,
            revoked_at=now if state == "revoked" else None,
            revoked_by=member if state == "revoked" else None,
        )
        for who, member in people.items()
        for state in ("open", "revoked")
    }


@pytest.fixture
def uploads(people: dict[str, Member]) -> Rows:
    return {
        (who, "any"): Upload.objects.create(member=member, status="fetching", name="a.png")
        for who, member in people.items()
    }


def differences(
    rows: Rows, people: dict[str, Member], row_rule: str, found: Callable[[Member], QuerySet[Model]]
) -> list[str]:
    """Return every combination of a row and a person where the rule for single rows and the rule for lists disagree."""
    wrong = []
    for asking, member in people.items():
        by_list = set(found(member).values_list("pk", flat=True))
        for (owner, state), row in rows.items():
            by_row = getattr(row, row_rule)(member)
            if by_row != (row.pk in by_list):
                wrong.append(f"{asking} asks for {owner}'s {state}: the row says {by_row}")
    return wrong


def test_rows_and_lists_of_runs_agree(people: dict[str, Member], runs: Rows) -> None:
    lists = Run.objects.all()
    assert differences(runs, people, "is_visible_to", lists.visible_to) == []
    assert differences(runs, people, "is_manageable_by", lists.manageable_by) == []
    assert differences(runs, people, "is_changeable_by", lists.changeable_by) == []
    assert differences(runs, people, "is_shareable_by", lists.changeable_by) == []
    kept = {key: run for key, run in runs.items() if "binned" not in key[1]}
    assert differences(kept, people, "belongs_to", lists.owned_by) == []


def test_rows_and_lists_agree_on_what_may_go_to_the_bin(alice: Member, app: App) -> None:
    now = timezone.now()
    runs = [make_run(alice, app, status=status) for status in Run.Status.values]
    runs += [make_run(alice, app, status="failed", held_at=now), make_run(alice, app, status="failed", deleted_at=now)]
    listed = set(Run.objects.changeable_by(alice).binnable())
    assert [run for run in runs if run.is_binnable_by(alice)] == [run for run in runs if run in listed]
    assert {run.status for run in listed} == {"completed", "failed", "cancelled"}


def test_rows_and_lists_of_presets_agree(people: dict[str, Member], presets: Rows) -> None:
    lists = Preset.objects.all()
    assert differences(presets, people, "is_visible_to", lists.visible_to) == []
    assert differences(presets, people, "is_changeable_by", lists.changeable_by) == []


def test_rows_and_lists_of_links_and_uploads_agree(people: dict[str, Member], links: Rows, uploads: Rows) -> None:
    assert differences(links, people, "belongs_to", GuestLink.objects.owned_by) == []
    assert differences(links, people, "is_manageable_by", GuestLink.objects.manageable_by) == []
    assert differences(uploads, people, "belongs_to", Upload.objects.owned_by) == []


def test_rows_and_lists_of_inputs_agree(people: dict[str, Member], runs: Rows) -> None:
    run = runs["owner", "shared"]
    assert isinstance(run, Run)
    given = {"name": "Prompt", "type": "text", "value": "a cat"}
    inputs: Rows = {
        ("owner", state): RunInput.objects.create(run=run, position=position, is_hidden=state == "hidden", **given)
        for position, state in enumerate(("open", "hidden"), start=100)
    }
    assert differences(inputs, people, "is_shown_to", run.inputs.shown_to) == []


@pytest.mark.parametrize("is_allowed", [None, True, False])
def test_rows_and_lists_of_links_agree_on_who_is_let_in(people: dict[str, Member], *, is_allowed: bool | None) -> None:
    """With None, no admin has saved any rules yet."""
    now = timezone.now()
    times = product((None, now - SECOND, now + SECOND), (now - SECOND, now, now + SECOND))
    for number, (revoked_at, expires_at) in enumerate(times):
        made = {"nonce": "n", "token_hash": str(number), "revoked_at": revoked_at, "expires_at": expires_at}
        GuestLink.objects.create(member=people["owner"], **made)
    if is_allowed is not None:
        SharingRules.objects.create(guests_allowed=is_allowed)
    rules, links = SharingRules.current(), GuestLink.objects.all()

    alive = [link for link in links if link.is_alive(now)]
    let_in = [link for link in links if link.is_open(rules, now)]

    assert [(link.revoked_at, link.expires_at) for link in alive] == [(None, now + SECOND)]
    assert list(links.alive(now)) == alive
    assert list(links.filter(is_alive_at(now))) == alive
    assert list(links.open(now)) == let_in == ([] if is_allowed is False else alive)


@pytest.mark.parametrize("deciders", [None, *ReviewRules.Deciders])
def test_rows_lists_and_conditions_agree_on_who_may_decide(people: dict[str, Member], deciders: str | None) -> None:
    """With None, no admin has saved any rules yet."""
    if deciders is not None:
        ReviewRules.objects.create(deciders=deciders)
    rules = ReviewRules.current()

    deciding = {who for who, member in people.items() if rules.may_decide(member)}
    by_role = {role for role in Member.Role if Member.objects.filter(ReviewRules.lets_decide(role)).exists()}

    makers = {"owner", "teammate"} if deciders == ReviewRules.Deciders.MAKER else set()
    assert deciding == {"approver", "admin"} | makers
    assert set(ReviewRules.who_may_decide()) == {people[who] for who in deciding}
    assert by_role == set(rules.deciding_roles)


def test_a_difference_is_found(people: dict[str, Member], runs: Rows) -> None:
    assert differences(runs, people, "is_visible_to", Run.objects.manageable_by)


@pytest.mark.parametrize(
    ("owner", "state", "seen_by", "changed_by"),
    [
        ("owner", "private", {"owner", "admin"}, {"owner", "admin"}),
        ("owner", "shared", set(ROLES), {"owner", "admin"}),
        ("owner", "binned", set(), set()),
        ("owner", "shared and binned", set(), set()),
        ("viewer", "private", {"viewer", "admin"}, {"admin"}),
        ("viewer", "shared", set(ROLES), {"admin"}),
        ("deactivated", "private", {"deactivated", "admin"}, {"deactivated", "admin"}),
        ("admin", "private", {"admin"}, {"admin"}),
    ],
)
def test_who_sees_and_who_changes_a_run(
    people: dict[str, Member], runs: Rows, owner: str, state: str, seen_by: set[str], changed_by: set[str]
) -> None:
    """Deactivated people keep their role's permissions; they just can't sign in."""
    run = runs[owner, state]
    assert isinstance(run, Run)
    seen_by, changed_by = ({*who, "deactivated admin"} if "admin" in who else who for who in (seen_by, changed_by))
    assert {who for who, member in people.items() if run.is_visible_to(member)} == seen_by
    assert {who for who, member in people.items() if run.is_changeable_by(member)} == changed_by


def test_a_link_is_extended_by_its_maker_and_restored_by_whoever_revoked_it(
    people: dict[str, Member], links: Rows
) -> None:
    rules = SharingRules(link_makers="approver")
    live, revoked = links["approver", "open"], links["approver", "revoked"]
    assert isinstance(live, GuestLink)
    assert isinstance(revoked, GuestLink)
    admins = {"admin", "deactivated admin"}
    assert {who for who, one in people.items() if may_extend(one, live, rules)} == {"approver", *admins}
    restorers = {who for who, one in people.items() if may_restore(one, revoked, rules, is_revocable=True)}
    assert restorers == {"approver", *admins}
    assert not any(may_restore(one, revoked, rules, is_revocable=False) for one in people.values())
    revoked.revoked_by = people["admin"]
    assert {who for who, one in people.items() if may_restore(one, revoked, rules, is_revocable=True)} == admins
    assert not any(may_extend(one, revoked, rules) for one in people.values()), "that link is revoked"
    is_any = any(may_restore(one, live, rules, is_revocable=True) for one in people.values())
    assert not is_any, "that link isn't revoked"
    mine = links["owner", "open"]
    assert isinstance(mine, GuestLink)
    assert not may_extend(people["owner"], mine, rules), "the rules are stricter now"


ELSEWHERE = re.compile(
    r"\bmember_id (?:==|!=)|\bis_admin or\b|\bor [\w.]*\bis_admin\b|\blink\.expires_at [<>]|\bguests_allowed="
    r"|\bdeciding_roles\b|\bDeciders\.[A-Z]|\bAPPROVER,\s*Member\.Role\.ADMIN\b|\"approver\", \"admin\""
)


def test_no_rule_is_written_outside_the_models() -> None:
    places = [*(ROOT / "runs").rglob("*.py"), *(ROOT / "templates").rglob("*.html")]
    found = {
        path.relative_to(ROOT).as_posix()
        for path in places
        if "models" not in path.parts and ELSEWHERE.search(path.read_text())
    }
    assert found == set()
    assert ELSEWHERE.search("{% if user.is_admin or run.owner == user %}")


# --- Apps that can't be run
# --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("refused", ["gone_at", "forbidden_at"])
def test_nothing_offers_to_run_an_app_that_cannot_be_run(people: dict[str, Member], app: App, refused: str) -> None:
    owner = people["owner"]
    run = make_run(owner, app, status="completed")
    output = run.outputs.all()[0]
    client = client_of(owner)
    begins = f"?from={run.public_id}"
    pages = (
        run.get_absolute_url(),
        output.get_absolute_url(),
        "/history/",
        f"/runs/{run.public_id}/again/",
        f"/compare/?f={output.public_id},{run.outputs.all()[1].public_id}",
    )
    for page in pages:
        assert f'{begins}"' in client.get(page).text, page

    App.objects.filter(pk=app.pk).update(**{refused: timezone.now()})

    for page in pages:
        text = client.get(page).text
        assert f'{begins}"' not in text, page
        assert "Run the same again</a>" not in text, page
    assert not App.objects.get(pk=app.pk).is_runnable


def test_that_an_app_is_not_for_this_workspace_is_decided_in_one_place(people: dict[str, Member], app: App) -> None:
    App.objects.filter(pk=app.pk).update(forbidden_at=timezone.now())
    app.refresh_from_db()
    said = NOT_OPEN.replace("'", "&#x27;")

    assert client_of(people["owner"]).get(app.get_absolute_url()).text.count(said) >= 1
    assert said in client_of(people["viewer"]).get(app.get_absolute_url()).text, "the role doesn't matter"
    assert cost_line(app, people["owner"]).reason == NOT_OPEN
    places = [*(ROOT / "runs").rglob("*.py"), *(ROOT / "templates").rglob("*.html")]
    assert [path.name for path in places if "can give it access on Lamina" in path.read_text()] == ["estimates.py"]
