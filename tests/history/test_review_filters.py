"""Filtering History by reviews: by verdict, by who decided, and by who has yet to decide."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from runs.history import review_filters
from runs.history.filters import Filter
from runs.history.hints import Hint
from runs.models import GuestLink, Member, Run
from runs.review import overall_verdict, requests, verdicts
from runs.review.deciders import Reviewer
from runs.sharing import guest_identity
from runs.sharing.links import make_link
from tests.support.factories import make_kept, make_run
from tests.support.guest_links import guest_of
from tests.support.html import flat

pytestmark = pytest.mark.django_db


def titles(query: str, member: Member) -> set[str]:
    found = Filter.parse(query)
    return {run.title for run in found.runs(member, found.directory(member))}


@pytest.fixture
def sam(make_member: Callable[..., Member]) -> Member:
    return make_member("samuel", role="approver")


@pytest.fixture
def reviewed(alice: Member, bob: Member, admin_member: Member, sam: Member) -> dict[str, Run]:
    """Return two people's runs, keyed by title. Some have verdicts from Sam and others; some are still waiting for
    one."""
    made = {}
    for title, maker in {"good": alice, "mixed": alice, "asked": alice, "new": alice, "of bob": bob}.items():
        made[title] = run = make_run(maker, status="completed", title=title, shared_at=timezone.now())
        make_kept(run)
        make_kept(run, position=1)
        overall_verdict.count([run.pk])
    decide = verdicts.decide
    good, mixed, asked, of_bob = (list(made[title].outputs.all()) for title in ("good", "mixed", "asked", "of bob"))
    for output in good:
        decide(output, "approved", "", Reviewer(sam), None)
    decide(mixed[0], "rejected", "Too dark", Reviewer(sam), None)
    decide(mixed[1], "approved", "", Reviewer(admin_member), None)
    decide(of_bob[0], "changes", "Warmer", Reviewer(sam), None)
    requests.ask(alice, asked[:1])
    requests.ask(bob, of_bob[1:], members=[sam])
    return made


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("decision=approved", {"good", "mixed"}),
        ("decision=rejected", {"mixed"}),
        ("decision=changes", set()),
        ("decision=none", {"asked", "new"}),
        ("tab=team&decision=changes", {"of bob"}),
        ("tab=team&decision=none", {"of bob"}),
        ("decided=SAM", {"good", "mixed"}),
        ("decided=SAM&decision=approved", {"good"}),
        ("decided=ADMIN&decision=approved", {"mixed"}),
        ("tab=team&decided=SAM", {"of bob"}),
        ("decided=ALICE", set()),
        ("decided=guest", set()),
        ("waits=SAM", {"asked"}),
        ("waits=anyone", {"asked"}),
        ("tab=team&waits=SAM", {"of bob"}),
        ("tab=team&waits=ADMIN", set()),
        ("waits=me", set()),  # Alice isn't an approver
        ("waits=gone", set()),
        ("decision=made-up&decided=7&waits=a%20b", {"good", "mixed", "asked", "new"}),
    ],
)
@pytest.mark.parametrize("few", [1_000, 0])  # first, any number of decisions counts as few; then, as many
def test_what_the_filters_find(
    reviewed: dict[str, Run],
    alice: Member,
    sam: Member,
    admin_member: Member,
    monkeypatch: pytest.MonkeyPatch,
    few: int,
    query: str,
    found: set[str],
) -> None:
    monkeypatch.setattr(review_filters, "FEW", few)
    for name, person in {"ALICE": alice, "SAM": sam, "ADMIN": admin_member}.items():
        query = query.replace(name, person.public_id)

    assert titles(query, alice) == found


def test_guests_decide_too_and_each_person_sees_what_waits_for_them(
    reviewed: dict[str, Run], alice: Member, sam: Member
) -> None:
    link = make_link(alice, list(reviewed["new"].outputs.all()))
    GuestLink.objects.filter(pk=link.pk).update(lets_decide=True)
    link.refresh_from_db()
    verdicts.decide(reviewed["new"].outputs.all()[0], "approved", "", Reviewer(guest=guest_of(link, "Kim")), None)

    assert titles("decided=guest", alice) == titles("decided=guest:kim", alice) == {"new"}
    assert titles("decided=guest:kim&decision=rejected", alice) == titles("decided=guest:ki", alice) == set()
    assert titles("tab=team&waits=me", sam) == {"asked", "of bob"}
    assert titles("tab=team&waits=me&decided=guest", sam) == set()


def test_who_decided_and_who_may_decide_are_offered_with_the_guests_one_may_see(
    reviewed: dict[str, Run], as_alice: Client, as_bob: Client, alice: Member, sam: Member, admin_member: Member
) -> None:
    link = make_link(alice, list(reviewed["new"].outputs.all()))
    for name in ("Kim", "Zoë"):
        answer = Reviewer(guest=guest_of(link, name))
        GuestLink.objects.filter(pk=link.pk).update(lets_decide=True)
        link.refresh_from_db()
        verdicts.decide(reviewed["new"].outputs.all()[0], "approved", "Nice", answer, None)

    def offered(client: Client, which: str, query: str = "") -> list[str]:
        return [label for _value, label, _chosen in client.get(f"/history/?{query}").context[which]]

    guests = ["Decided by a guest", "Decided by Kim (guest)", "Decided by Zoë (guest)"]
    assert offered(as_alice, "decided_options") == ["Decided by Ada", "Decided by Samuel", *guests]
    assert offered(as_alice, "decided_options", f"decided={alice.public_id}")[1] == "Decided by Alice"
    people = ["Waiting for me", "Waiting for anyone", "Waiting for Ada", "Waiting for Samuel"]
    assert offered(as_alice, "waits_options") == people
    chips = as_alice.get("/history/?decided=guest:zoe").context["chips"]
    assert [chip.label for chip in chips] == ["Decided by Zoë (guest)"]
    Run.objects.filter(pk=reviewed["new"].pk).update(shared_at=None)
    assert offered(as_bob, "decided_options")[-1] == "Decided by a guest", "clients of others stay theirs"


def test_guests_of_one_typed_name_are_one_entry_under_that_name(
    reviewed: dict[str, Run], as_alice: Client, alice: Member
) -> None:
    link = make_link(alice, list(reviewed["new"].outputs.all()))
    GuestLink.objects.filter(pk=link.pk).update(lets_decide=True)
    link.refresh_from_db()
    kims = [guest_identity.newcomer(link, "Kim") for _number in range(2)]
    for guest in kims:
        guest.link = link
        verdicts.decide(reviewed["new"].outputs.all()[0], "approved", "", Reviewer(guest=guest), None)
    assert [guest.shown_name for guest in kims] == ["Kim", "Kim (2)"]

    options = as_alice.get("/history/").context["decided_options"]

    assert [label for value, label, _chosen in options if value.startswith("guest:")] == ["Decided by Kim (guest)"]
    chips = as_alice.get("/history/?decided=guest:kim").context["chips"]
    assert [chip.label for chip in chips] == ["Decided by Kim (guest)"]


def test_the_form_offers_the_filters_and_each_is_a_chip(
    reviewed: dict[str, Run], as_alice: Client, sam: Member, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    address = f"/history/?decision=approved&decided={sam.public_id}&waits=anyone"
    as_alice.get(address)
    with django_assert_max_num_queries(13):
        answer = as_alice.get(address)

    assert [(chip.label, chip.url) for chip in answer.context["chips"]] == [
        ("Approved", f"/history/?decided={sam.public_id}&waits=anyone"),
        ("Decided by Samuel", "/history/?decision=approved&waits=anyone"),
        ("Waiting for anyone", f"/history/?decision=approved&decided={sam.public_id}"),
    ]
    assert (
        Hint("Waiting or not", f"/history/?decision=approved&decided={sam.public_id}", "1") in answer.context["hints"]
    )
    chosen = re.findall(r'<option value="(\w+)" selected', flat(answer.content))
    assert chosen == ["approved", sam.public_id, "anyone"]


def test_a_saved_view_keeps_the_filters(reviewed: dict[str, Run], as_alice: Client, sam: Member) -> None:
    query = f"tab=team&decision=changes&decided={sam.public_id}&waits=me"
    as_alice.post("/history/views/", {"name": "To mend", "query": query})

    views = as_alice.get(f"/history/?{query}").context["views"]
    assert [(view.name, url, is_current) for view, url, is_current in views] == [
        ("To mend", f"/history/?{query}", True)
    ]


@pytest.mark.parametrize("tab", ["mine", "team"])
def test_an_index_alone_answers_by_verdict(tab: str, alice: Member) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("small tables are read whole")
    found = Filter.parse(f"tab={tab}&decision=approved")
    runs = found.runs(alice, found.directory(alice)).newest_first().values("pk")[:25]

    assert re.search(rf"USING COVERING INDEX run_find_{tab}\b(?!.*TEMP B-TREE)", runs.explain(), re.DOTALL)
