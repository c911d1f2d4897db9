"""The log for admins: filters, pages, the log on an object's own page, and the CSV file."""

import csv
import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from runs.audit import networks
from runs.audit.actors import as_guest, as_member, current_actor
from runs.audit.record import record, record_each
from runs.models import Entry, Member, Run, Verb
from runs.models.entry import HIDDEN
from runs.sharing.links import make_link
from tests.support.clients import PASSWORD, client_of
from tests.support.factories import make_run
from tests.support.page import Page

pytestmark = pytest.mark.django_db
LOG = "/manage/log/"


class Lines(logging.Handler):
    """Collects log lines."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[dict[str, Any]] = []

    def emit(self, line: logging.LogRecord) -> None:
        self.said.append(json.loads(line.getMessage()))


@pytest.fixture
def log_lines() -> Iterator[list[dict[str, Any]]]:
    handler, logger = Lines(), logging.getLogger("portal.audit")
    logger.addHandler(handler)
    yield handler.said
    logger.removeHandler(handler)


@pytest.fixture
def run(alice: Member) -> Run:
    return make_run(alice, status="completed", title="Packshot")


def shown(client: Client, **query: str) -> str:
    return client.get(LOG, query).content.decode()


def entries_in(page: str) -> int:
    return page.count('class="log-line"')


def add(verb: Verb, at: datetime, **fields: Any) -> Entry:
    return Entry.objects.create(verb=verb, at=at, way="page", **fields)


def test_filters_stand_in_the_address(as_admin: Client, alice: Member, bob: Member, run: Run) -> None:
    record(Verb.RUN_RENAMED, run, changes={"title": ("", "Packshot")}, actor=as_member(alice))
    record(Verb.RUN_SHARED, run, actor=as_member(bob))
    record(Verb.PERSON_CHANGED, bob, changes={"role": ("maker", "approver")}, actor=as_member(alice))
    record(Verb.LINK_MADE, None, label="Kim's link", actor=as_guest("Kim"))

    page = shown(as_admin)
    assert entries_in(page) == 5  # one of these entries says that Ada signed in
    assert "Kim (guest)" in page
    assert reverse("runs:run-detail", args=[run.public_id]) in page
    assert entries_in(shown(as_admin, who=alice.public_id)) == 2
    assert entries_in(shown(as_admin, act=Verb.RUN_SHARED)) == 1
    assert entries_in(shown(as_admin, who=alice.public_id, act=Verb.PERSON_CHANGED)) == 1
    assert entries_in(shown(as_admin, who="guest")) == 1
    for about in (f"run:{run.public_id}", run.get_absolute_url(), f"https://portal.example{run.get_absolute_url()}"):
        assert entries_in(shown(as_admin, about=about)) == 2
    assert "isn't the address" in shown(as_admin, about="https://example.com/elsewhere")
    for nonsense in ({"who": "nobody"}, {"act": "no.verb", "who": "nobody"}, {"since": "9999-99-99", "who": "x"}):
        assert "No entries match." in shown(as_admin, **nonsense)


def test_days_are_the_readers(admin_member: Member) -> None:
    Member.objects.filter(pk=admin_member.pk).update(time_zone="Asia/Tokyo")
    reader = client_of(admin_member)
    add(Verb.RUN_STARTED, datetime(2026, 3, 1, 14, 59, tzinfo=UTC))  # 23:59 in Tokyo
    add(Verb.RUN_SHARED, datetime(2026, 3, 1, 15, 1, tzinfo=UTC))
    assert entries_in(shown(reader, since="2026-03-02", until="2026-03-09")) == 1
    assert entries_in(shown(reader, until="2026-03-01")) == 1
    assert entries_in(shown(reader, since="2026-03-01", until="2026-03-02")) == 2


def test_days_at_either_end_of_the_calendar_are_ignored(as_admin: Client) -> None:
    for day in ("0001-01-01", "9999-12-31"):
        for name in ("since", "until"):
            assert entries_in(shown(as_admin, **{name: day})) == 1


def test_older_entries_are_a_page_away_also_within_one_moment(as_admin: Client) -> None:
    now = timezone.now()
    made = [add(Verb.RUN_STARTED, now, object_label=f"number {n}.") for n in range(120)]
    seen: list[str] = []
    page, query = shown(as_admin), {}
    while True:
        seen += [entry.object_label for entry in reversed(made) if entry.object_label in page]
        if "before=" not in page:
            break
        query = {"before": page.split("before=")[1][:16]}
        page = shown(as_admin, **query)
    assert seen == [entry.object_label for entry in reversed(made)]


def test_the_log_takes_few_queries(
    as_admin: Client, run: Run, alice: Member, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    record_each(Verb.RUN_SHARED, [run] * 40, actor=as_member(alice))
    record_each(Verb.PERSON_CHANGED, [alice] * 10, actor=as_member(alice))
    with django_assert_max_num_queries(12):
        shown(as_admin)


def test_the_csv_file_has_what_the_filters_leave_and_is_recorded(as_admin: Client, alice: Member, run: Run) -> None:
    alice.name = '=cmd|"calc"'
    record(Verb.RUN_RENAMED, run, changes={"title": ("Packshot", "a,\n;=b")}, actor=as_member(alice))
    record(Verb.RUN_SHARED, run)

    answer = as_admin.post(f"{LOG}csv/", {"act": Verb.RUN_RENAMED})

    rows = list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert len(rows) == 2
    assert rows[1][1].startswith("'=cmd")
    assert rows[1][4] == Verb.RUN_RENAMED
    assert rows[1][8] == "Title: was Packshot, now a,\n;'=b"  # never a formula
    told = Entry.objects.get(verb=Verb.EXPORTED)
    assert told.actor_name == "Ada"
    assert told.changes == {"filter": [None, "act=run.renamed"]}


def test_the_page_and_the_csv_file_say_the_same_in_sentences_and_in_the_readers_time(admin_member: Member) -> None:
    Member.objects.filter(pk=admin_member.pk).update(time_zone="Asia/Tokyo")
    reader = client_of(admin_member)
    changes = {
        "status": ["running", "partly"],
        "expires_at": ["2026-03-17T00:00:00+00:00", "2026-03-31T00:00:00+00:00"],
        "role": ["", "maker"],
        "price": ["12.50", None],
        "passphrase": [HIDDEN, HIDDEN],
        "mention": ["once", "off"],
        "results": [0, 1200],
        "filter": [None, "act=run.renamed"],
        "note": [None, None],
    }
    sentences = [
        "State: was In progress, now Partly ready",
        "Ends: was 16 March 2026, now 30 March 2026",
        "Role: Maker",
        "Price: was 12.5 credits, now none",
        "Passphrase: changed",
        "Someone mentions you: was Immediately, now No email",
        "Results: 1,200",
        "Filter: What: Run renamed",
    ]
    add(Verb.LIMITS_CHANGED, datetime(2026, 3, 1, 15, 1, 7, tzinfo=UTC), changes=changes)

    page = Page(shown(reader, act=Verb.LIMITS_CHANGED))
    rows = list(csv.reader(io.StringIO(b"".join(reader.post(f"{LOG}csv/", {"act": Verb.LIMITS_CHANGED})).decode())))

    assert page.first(css="log-day").first("h2").words == "2 March 2026"
    assert page.first(css="log-line").first("time").words.startswith("00:01")
    on_the_page = [item.words for item in page.first(css="log-what").find("li")]
    assert sorted(on_the_page) == sorted(sentences)  # PostgreSQL keeps the keys of a jsonb value in its own order
    assert (rows[0][0].lstrip("\ufeff"), rows[1][0]) == ("Time (Tokyo)", "2026-03-02 00:01:07")
    assert rows[1][8] == "; ".join(on_the_page)


def test_owners_and_admins_see_what_was_done_to_a_run(
    as_alice: Client, as_bob: Client, as_admin: Client, alice: Member, bob: Member, run: Run
) -> None:
    Run.objects.filter(pk=run.pk).update(shared_at=timezone.now())
    output = run.outputs.first()
    record(Verb.RUN_SHARED, run, actor=as_member(alice))
    record(Verb.RESULT_STARRED, output, actor=as_member(bob))
    record(Verb.PERSON_CHANGED, bob, actor=as_member(alice))
    part = f"/record/run/{run.public_id}/"
    for reader in (as_alice, as_admin):
        assert part in reader.get(run.get_absolute_url()).content.decode()
        page = reader.get(part).content.decode()
        assert entries_in(page) == 2
        assert "Result starred" in page
    assert part not in as_bob.get(run.get_absolute_url()).content.decode()
    assert as_bob.get(part).status_code == 404
    own = as_bob.get(f"/record/person/{bob.public_id}/").content.decode()
    assert entries_in(own) == 3  # what Bob did, what others did to him, and his sign-in
    fragment = as_alice.get(part, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert entries_in(fragment) == 2


def test_apps_people_and_links_show_what_was_done_to_them(as_admin: Client, alice: Member, run: Run) -> None:
    link = make_link(alice, list(run.outputs.all()))
    pages = {
        f"app/{run.app.public_id}/": reverse("runs:manage-app", args=[run.app.slug, run.app.public_id]),
        f"person/{alice.public_id}/": reverse("runs:manage-person", args=[alice.public_id]),
        f"link/{link.public_id}/": reverse("runs:link-detail", args=[link.public_id]),
    }
    record(Verb.APP_PRICED, run.app, changes={"price": (None, 3)})
    record(Verb.PERSON_LIMITED, alice)
    there = {part: entries_in(as_admin.get(f"/record/{part}").text) for part in pages}
    assert list(there.values()) == [1, 1, 1]
    for part, page in pages.items():
        assert f"/record/{part}" in as_admin.get(page).text, page
    assert f"/record/person/{alice.public_id}/" in client_of(alice).get("/me/").text


def test_secrets_and_typed_texts_stay_out(alice: Member) -> None:
    typed = "correct horse battery staple"
    fields = ("password", "passphrase", "hook_token", "secret", "api_key", "note", "message", "text")
    record(Verb.LINK_CHANGED, None, changes=dict.fromkeys(fields, (typed, f"{typed}!")) | {"days": (7, 30)})
    changes = Entry.objects.get().changes
    assert typed not in json.dumps(changes)
    assert changes["days"] == [7, 30]


def test_secrets_within_values_stay_out(alice: Member) -> None:
    record(Verb.APP_SHAPED, None, changes={"fields": ({}, {"Text": {"mode": "locked", "value": "a fox", "key": "k"}})})
    changes = Entry.objects.get().changes
    assert changes == {"fields": [{}, {"Text": {"mode": "locked", "value": HIDDEN, "key": HIDDEN}}]}


def test_a_sign_in_shows_admins_the_network_it_came_from(as_admin: Client, alice: Member) -> None:
    Client().post("/login/", {"username": alice.email, "password": PASSWORD}, REMOTE_ADDR="203.0.113.77")
    page = shown(as_admin, who=alice.public_id, act=Verb.PERSON_SIGNED_IN)
    assert "from 203.0.113.0/24" in page
    assert "203.0.113.77" not in page
    assert "203.0.113" not in client_of(alice).get(f"/record/person/{alice.public_id}/").content.decode()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_where_somebody_came_from_is_cut(address: str, network: str) -> None:
    assert networks.cut(address) == network


def test_an_act_and_its_entry_are_undone_together(
    log_lines: list[dict[str, Any]], run: Run, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        with transaction.atomic():
            record(Verb.RUN_SHARED, run)
            transaction.set_rollback(True)
        record(Verb.RUN_STARRED, run, changes={"at": (None, timedelta(days=1))})
    assert Entry.objects.get().verb == Verb.RUN_STARRED
    (line,) = log_lines
    assert (line["verb"], line["object"], line["label"], line["way"]) == (
        "run.starred",
        run.public_id,
        "Packshot",
        "worker",
    )


def test_many_entries_have_one_request_id(alice: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.audit.record.AT_ONCE", 2)
    runs = [make_run(alice) for _ in range(3)]
    there: list[int] = []

    def one_by_one() -> Iterator[Run]:
        for run in runs:
            there.append(Entry.objects.count())
            yield run

    record_each(Verb.RUN_BINNED, one_by_one())
    assert there == [0, 0, 2]
    assert len({entry.request_id for entry in Entry.objects.all()}) == 1
    assert {entry.object_id for entry in Entry.objects.all()} == {run.public_id for run in runs}
    assert current_actor().way == "worker"
