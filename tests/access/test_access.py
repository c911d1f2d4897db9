"""Access rules: every kind of user requests every URL with every method, once for a private and once for a shared run.

`pytest tests/access/test_access.py -s` prints the table.
"""

import re

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from runs.models import Decision, Output
from tests.support.access_rows import ANY_METHOD, NO_CSRF, ROWS, Row
from tests.support.access_walk import ask, body_of
from tests.support.access_world import OUTSIDE, PEOPLE, World

pytestmark = pytest.mark.django_db


def all_names(patterns: list[URLPattern | URLResolver], prefix: str = "") -> set[str]:
    names: set[str] = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            names |= all_names(pattern.url_patterns, f"{pattern.namespace}:" if pattern.namespace else prefix)
        else:
            names.add(f"{prefix}{pattern.name}")
    return names


def problems_of(world: World, row: Row, who: str, answer: HttpResponseBase) -> list[str]:
    """Return the problems with `answer`, such as a wrong status, a missing prompt to sign in, an unexpected cookie, or
    words that `who` may not see."""
    wanted = row.expected(who, is_shared=world.subject is world.shared)
    if answer.status_code != wanted:
        return [f"{answer.status_code} instead of {wanted}"]
    body = body_of(answer)
    found = []
    if row.asks_to_sign_in(who):
        is_asked = answer.headers["Location"].startswith("/login/") if wanted == 302 else 'name="password"' in body
        found += [] if is_asked else ["not asked to sign in"]
    if (who in OUTSIDE and "sessionid" in answer.cookies) or (row.is_for_guests and answer.cookies):
        found.append("a cookie was set")
    return [*found, *(f"“{word}” is not for them" for word in hidden_from(world, row, who) if word in body)]


def hidden_from(world: World, row: Row, who: str) -> set[str]:
    """Return the words of the private and shared runs that must not appear in the response to `row` for `who`."""
    secret = {world.private.word, world.private.shown, world.shared.word, world.shared.shown}
    if row.is_for_guests:
        seen = world.other if who == "guest, other run" else world.subject
        return secret - {seen.shown}
    if who in ("owner", "admin"):
        return set()
    return secret if who in OUTSIDE else {world.private.word, world.private.shown}


def depends_on_run(world: World, row: Row) -> bool:
    """Return whether anything about `row` differs between the private and the shared run. If nothing does, one walk is
    enough for it."""
    asked = []
    for subject in (world.private, world.shared):
        world.subject, world.who = subject, "guest"
        asked.append((row.path(world), row.data(world)))
    world.subject = world.shared
    return asked[0] != asked[1] or row.rule.private != row.rule.shared


class Acts:
    """Every decision that existed before any request was sent: who decided what, when, and with what note."""

    def __init__(self) -> None:
        self.before = self.now()

    def now(self) -> dict[int, tuple[object, ...]]:
        told = "pk", "output_id", "content_hash", "act", "verdict", "note", "member_id", "link_id", "created_at"
        return {row[0]: row for row in Decision.objects.values_list(*told)}

    def lost(self) -> list[str]:
        """Return the decisions that have changed, and those that have disappeared although their result still
        exists."""
        now = self.now()
        changed = {pk: row for pk, row in self.before.items() if now.get(pk) != row}
        living = set(Output.objects.filter(pk__in=[row[1] for row in changed.values()]).values_list("pk", flat=True))
        return [f"decision {pk} changed" for pk, row in changed.items() if pk in now or row[1] in living]


def test_every_address_has_a_row() -> None:
    assert all_names(get_resolver().url_patterns) == {row.name for row in ROWS}


@pytest.mark.parametrize("sharing", ["private", "shared"])
def test_the_walk(world: World, sharing: str) -> None:
    """This also tests promise D3 (see tests/review): no URL lets anyone change or delete a decision."""
    world.subject = getattr(world, sharing)
    wrong, lines, acts = [], [], Acts()
    assert acts.before
    for row in ROWS if sharing == "private" else [row for row in ROWS if depends_on_run(world, row)]:
        cells = []
        for who in PEOPLE:
            lost: list[str] = []
            answer = ask(world, row, world.client(who), then=lambda lost=lost: lost.extend(acts.lost()))  # type: ignore[misc]
            problems = problems_of(world, row, who, answer) + lost
            wrong += [f"{row.method} {row.name} {row.query} as {who}: {problem}" for problem in problems]
            cells.append(f"{answer.status_code}{'!' if problems else ''}")
        lines.append(f"{f'{row.method} {row.name} {row.query}':<44}" + "".join(f"{cell:>9}" for cell in cells))
    heads = "".join(f"{who.replace('guest, ', '')[:8]:>9}" for who in PEOPLE)
    print(f"\nA run that is {sharing}\n{'':<44}{heads}", *lines, sep="\n")  # noqa: T201 - with -s it is read
    assert not wrong, "\n".join(wrong)


def test_any_other_method_is_refused(world: World) -> None:
    known = {(row.name, row.method) for row in ROWS}
    taken = []
    for row in {row.name: row for row in ROWS if row.name not in ANY_METHOD}.values():
        for method in ("get", "post", "put", "patch", "delete"):
            if (row.name, method) not in known:
                status = ask(world, row, world.client("owner"), method).status_code
                taken += [f"{method} {row.name}: {status}"] if status not in (404, 405) else []
    assert not taken, "\n".join(taken)


def test_changes_need_the_csrf_token(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.owner)
    changes = [row for row in ROWS if row.method == "post" and not row.name.startswith(NO_CSRF)]

    assert [row.name for row in changes if ask(world, row, client).status_code != 403] == []


def test_no_page_loads_anything_foreign(world: World) -> None:
    for row in ROWS:
        if (
            row.method == "get"
            and row.status == 200
            and not row.name.startswith(("runs:file-o", "runs:file-t", "runs:result-text", "runs:guest-"))
        ):
            page = body_of(ask(world, row, world.client("admin")))
            assert not re.search(r'(?:src|srcset|poster|data)="(?:https?:)?//', page), row.name
