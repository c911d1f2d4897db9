"""What migrations do with existing rows, and what they may import."""

import ast
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import F
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from runs.catalog import own_search
from runs.engine import create_run
from runs.models import App, Run
from runs.models.search import HasWords, compiled
from runs.words.known_words import similar_to
from runs.words.terms import ways_of
from tests.support.charges import wrong_sums

Migrate = Callable[[str], Any]
MIGRATIONS = Path(import_module("runs.migrations").__path__[0])
SEARCH_BEFORE = "0028_member_time_zone"
IDS = "runs.models.ids"  # its functions are column defaults, so they are never renamed or moved
MODULE_IN_TEXT = re.compile(r"runs(\.\w+){2,}")  # "runs.models.run", but not "runs.Run", which names a historical model


def used_of_the_portal(source: str) -> set[str]:
    """Return the dotted names of the portal's modules that `source` imports (even inside functions) or mentions in a
    string. The names of relative imports keep their leading dots."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {name[0] for name in [MODULE_IN_TEXT.fullmatch(node.value)] if name}
    return {name for name in found if name.split(".")[0] in ("", "runs", "lamina_portal", "tests")}


@pytest.mark.parametrize("path", sorted(MIGRATIONS.glob("0*.py")), ids=lambda path: path.stem)
def test_a_migration_uses_nothing_that_may_move_or_change(path: Path) -> None:
    assert used_of_the_portal(path.read_text()) <= {IDS}


@pytest.mark.parametrize(
    "source",
    [
        "from runs.words.folding import fold",
        "import runs.models.run",
        "def fill(apps, schema_editor):\n    from runs import models",
        "from ..models import Run",
        "import_module('runs.words.folding')",
    ],
)
def test_a_migration_that_uses_more_is_found(source: str) -> None:
    assert used_of_the_portal(source) - {IDS}
    assert used_of_the_portal(f"import {IDS}\nfrom {IDS} import new_public_id\nForeignKey('runs.Member')") == {IDS}


@pytest.fixture(scope="module")
def _empty_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Give these tests a separate, empty database, because migrating the usual one backwards takes longer than starting
    from scratch."""
    usual = connection.settings_dict["NAME"]
    own = f"{usual}-migrations"

    def on_server(command: str) -> None:
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(f"{command} {connection.ops.quote_name(own)}")

    is_on_server = connection.vendor == "postgresql"
    if is_on_server:
        on_server("DROP DATABASE IF EXISTS")
        on_server("CREATE DATABASE")
    connection.close()
    connection.settings_dict["NAME"] = own
    yield
    connection.close()
    connection.settings_dict["NAME"] = usual
    if is_on_server:
        on_server("DROP DATABASE")


def _to_the_latest() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


@pytest.fixture
def migrate(_empty_database: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Migrate]:
    """Return a function that migrates to a given migration and returns its models.

    Each test starts at the migration where the previous one stopped, with empty tables. So the tests must be in the
    order of their migrations.
    """

    def to(name: str) -> Any:
        executor = MigrationExecutor(connection)
        executor.migrate([("runs", name)])
        return executor.loader.project_state([("runs", name)]).apps

    with django_db_blocker.unblock():
        yield to
        with transaction.atomic(), connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                if table.startswith("runs_") and not table.startswith("runs_runwords_"):  # SQLite's own index tables
                    cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608 - our own tables


def test_existing_people_get_addresses_and_saved_views_still_name_them(migrate: Migrate) -> None:
    old = migrate("0006_work_seconds")
    member_model, view_model = old.get_model("runs", "Member"), old.get_model("runs", "SavedView")
    people = [member_model.objects.create(email=f"p{n}@example.com", password="x") for n in range(3)]
    queries = [f"tab=team&by={people[1].pk}&kind=image", "q=by%3D1", "tab=team&by=999999"]
    for n, query in enumerate(queries):
        view_model.objects.create(member=people[0], name=f"view {n}", query=query)

    new = migrate("0008_addresses_of_people_unique")

    ids = dict(new.get_model("runs", "Member").objects.values_list("email", "public_id"))
    assert all(len(public_id) == 16 for public_id in ids.values())
    assert len(set(ids.values())) == 3
    kept = list(new.get_model("runs", "SavedView").objects.order_by("name").values_list("query", flat=True))
    assert kept == [f"tab=team&by={ids['p1@example.com']}&kind=image", *queries[1:]]


def test_existing_apps_are_found_without_accents(migrate: Migrate) -> None:
    old = migrate("0009_clock_steady_since")
    old.get_model("runs", "App").objects.create(remote_id="a", name="Légendes", search_text="légendes été")

    new = migrate("0010_fold_app_texts")

    assert new.get_model("runs", "App").objects.get().search_text == "legendes ete"


def test_existing_files_are_found_without_accents_and_the_migration_can_be_reversed(
    migrate: Migrate, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = migrate("0014_rung_at")
    monkeypatch.setattr(import_module("runs.migrations.0015_fold_names_and_labels"), "BATCH", 1)
    rows_before(old)

    new = migrate("0015_fold_names_and_labels")

    texts = new.get_model("runs", "Upload").objects.order_by("pk").values_list("name", "search_text")
    assert list(texts) == [("Été 1.png", "ete 1.png"), ("Été 2.png", "ete 2.png")]
    assert new.get_model("runs", "Output").objects.get().search_text == "ruckseite"
    back = migrate("0013_keeping_rules")
    assert [upload.name for upload in back.get_model("runs", "Upload").objects.order_by("pk")] == [
        "Été 1.png",
        "Été 2.png",
    ]
    assert back.get_model("runs", "Run").objects.count() == 1


def test_apps_that_only_lists_marked_as_gone_are_back(migrate: Migrate) -> None:
    old = migrate("0015_fold_names_and_labels")
    now = timezone.now()
    for name, missed in (("missed", 2), ("by its id", 0), ("both", 1)):
        old.get_model("runs", "App").objects.create(remote_id=name, name=name, gone_at=now, missed_lists=missed)
    old.get_model("runs", "App").objects.create(remote_id="here", name="here", missed_lists=1)

    new = migrate("0016_apps_never_proved_gone")

    apps = new.get_model("runs", "App").objects
    assert set(apps.filter(gone_at=None).values_list("name", flat=True)) == {"missed", "here"}
    assert not apps.filter(is_listed=False).exists()


def test_who_made_a_run_is_read_from_its_form_and_never_guessed(migrate: Migrate) -> None:
    old = migrate("0020_known_address")
    ann, ben = (old.get_model("runs", "Member").objects.create(email=f"{n}@example.com", password="x") for n in "ab")
    others = [old.get_model("runs", "Member").objects.create(email=f"{n}@example.com", password="x") for n in range(9)]
    app = old.get_model("runs", "App").objects.create(remote_id="a", name="A")
    schema = old.get_model("runs", "AppSchema").objects.create(app=app, version="1", parameters=[], outputs=[])
    tokens = {
        "own": create_run.new_form_token(ann),
        "taken over": create_run.new_form_token(ben),
        "of somebody gone": f"{others[-1].pk + 1}.x:y:z",
        "of no form": "1",
    }
    for name, token in tokens.items():
        row = {"app": app, "schema": schema, "title": name, "form_token": token, "version": 7}
        old.get_model("runs", "Run").objects.create(member=ann, **row)

    new = migrate("0021_made_by")

    runs = new.get_model("runs", "Run").objects
    made = {"own": ann.pk, "taken over": ben.pk, "of somebody gone": None, "of no form": None}
    assert dict(runs.values_list("title", "made_by")) == made
    assert set(runs.values_list("member", "version")) == {(ann.pk, 7)}


def test_existing_runs_and_apps_are_found_by_their_words(migrate: Migrate, monkeypatch: pytest.MonkeyPatch) -> None:
    old = migrate(SEARCH_BEFORE)
    monkeypatch.setattr(import_module("runs.migrations.0032_fill_search_words"), "BATCH", 1)
    rows_before(old)
    old.get_model("runs", "App").objects.update(name="Product Reels", description="Turns photos into videos")
    for number, text in enumerate(("a red shoe", "赤い靴")):
        run = old.get_model("runs", "Run").objects.get(form_token="t")
        run.pk, run.public_id, run.form_token, run.hook_token = None, f"run{number}", f"t{number}", f"h{number}"
        run.search_text = text
        run.save()

    migrate("0032_fill_search_words")

    assert found("shoes") == {"run0"}
    assert found("靴") == {"run1"}
    assert own_search.find(App.objects.all(), "videos of products").whole
    assert similar_to(["prodcut"]) == {"prodcut": ("product",)}
    migrate(SEARCH_BEFORE)


def found(word: str) -> set[str]:
    ways = [[(token.text, token.is_beginning) for token in way] for way in ways_of(word)]
    runs = Run.objects.filter(HasWords(F("pk"), compiled([ways], connection.vendor)))
    return set(runs.values_list("public_id", flat=True))


def rows_before(apps: Any) -> None:
    """Create two uploads and a result, all with accented letters in their names; together they don't fit in one
    batch."""

    def get(name: str) -> Any:
        return apps.get_model("runs", name).objects

    member = get("Member").create(email="a@example.com", password="x")
    app = get("App").create(remote_id="a", name="A")
    schema = get("AppSchema").create(app=app, version="1", parameters=[], outputs=[])
    run = get("Run").create(member=member, app=app, schema=schema, app_name="A", form_token="t")
    get("Output").create(run=run, position=0, label="Rückseite", kind="image")
    for number in (1, 2):
        get("Upload").create(member=member, status="failed", name=f"Été {number}.png")


def test_existing_runs_are_charged_to_their_makers(migrate: Migrate, monkeypatch: pytest.MonkeyPatch) -> None:
    old = migrate("0045_charges")
    monkeypatch.setattr(import_module("runs.migrations.0046_charge_existing"), "SLICE", 2)
    runs_before(old)

    new = migrate("0046_charge_existing")

    charges = {charge.run.title: charge for charge in new.get_model("runs", "Charge").objects.select_related("run")}
    assert {title: (c.member.email[0], c.hundredths, c.state) for title, c in charges.items()} == {
        "whole": ("a", 1000, "kept"),
        "part": ("a", 333, "kept"),  # back then, the stored cost covered all the results
        "part lately": ("a", 333, "kept"),
        "half": ("a", 3, "kept"),
        "of another maker": ("b", 1000, "kept"),
        "of a maker unknown": ("a", 1000, "kept"),
        "unknown": ("a", 0, "kept"),
        "negative": ("a", 0, "kept"),
        "of somebody without an address": ("n", 1000, "kept"),
        "waiting": ("a", 1000, "reserved"),
        "refused": ("a", 1000, "released"),
        "left": ("a", 1000, "kept"),
    }
    assert [title for title, charge in charges.items() if not charge.is_maker_known] == ["of a maker unknown"]
    assert [title for title, charge in charges.items() if charge.is_unknown] == ["unknown"]
    assert {charge.member_name for charge in charges.values()} == {"a", "Ben", "nobody"}
    assert {(c.made, c.total) for title, c in charges.items() if title.startswith("part")} == {(1, 3)}
    assert {charge.kind for charge in charges.values()} == {"video"}
    assert str(charges["whole"].month) == "2026-02-01"
    assert str(charges["part"].month) == "2026-01-01"
    assert sum(new.get_model("runs", "MonthTotal").objects.filter(member=None).values_list("used", flat=True)) == 6669
    _to_the_latest()
    assert wrong_sums() == []  # this check needs the latest tables


def runs_before(apps: Any) -> None:
    """Create runs of an app with three results, as they were stored before charges were introduced."""

    def get(name: str) -> Any:
        return apps.get_model("runs", name).objects

    ann = get("Member").create(email="a@example.com", password="x")
    ben = get("Member").create(email="b@example.com", password="x", name="Ben")
    nobody = get("Member").create(email="nobody", password="x")
    app = get("App").create(remote_id="a", name="A")
    outputs = [{"index": n, "label": "x", "type": kind} for n, kind in enumerate(("video", "image", "image"))]
    schema = get("AppSchema").create(app=app, version="1", parameters=[], outputs=outputs)
    two = get("AppSchema").create(app=app, version="2", parameters=[], outputs=outputs[:2])
    before = datetime(2026, 2, 1, tzinfo=UTC)
    given: dict[str, dict[str, Any]] = {
        "whole": {},
        "part": {"wanted_outputs": [1], "created_at": before - timedelta(microseconds=1)},
        "part lately": {"wanted_outputs": [1], "created_at": timezone.now(), "credits_estimated": Decimal("3.33")},
        "half": {"wanted_outputs": [1], "schema": two, "credits_estimated": Decimal("0.05")},
        "of another maker": {"made_by": ben},
        "of a maker unknown": {"made_by": None},
        "unknown": {"credits_estimated": None},
        "negative": {"credits_estimated": Decimal(-3)},
        "of somebody without an address": {"made_by": nobody},
        "waiting": {"status": "checking", "remote_id": "", "finished_at": None},
        "refused": {"status": "failed", "remote_id": "", "failure": "credits"},
        "left": {"status": "failed", "remote_id": "", "failure": "left"},
    }
    common = {"member": ann, "made_by": ann, "app": app, "schema": schema, "app_name": "A", "status": "completed"}
    common |= {"credits_estimated": Decimal(10), "created_at": before, "finished_at": before}
    for number, (title, more) in enumerate(given.items()):
        own = {"title": title, "form_token": title, "public_id": f"r{number}", "hook_token": title}
        get("Run").create(**{**common, **own, "remote_id": title, **more})


def test_copies_of_sounds_are_made_again(migrate: Migrate) -> None:
    old = migrate("0071_apps_with_failed_runs")
    stored, copies = old.get_model("runs", "StoredFile").objects, old.get_model("runs", "GuestCopy").objects
    for media_type in ("audio/mpeg", "audio/ogg", "audio/mp4", "image/png"):
        source = stored.create(public_id=media_type, media_type=media_type, size_bytes=1)
        copies.create(source=source, file=stored.create(public_id=f"copy {media_type}", size_bytes=1), status="ready")

    new = migrate("0072_copy_sounds_again")

    now = dict(new.get_model("runs", "GuestCopy").objects.values_list("source__media_type", "status"))
    assert now == {"audio/mpeg": "preparing", "audio/ogg": "preparing", "audio/mp4": "ready", "image/png": "ready"}


def test_everyone_who_answered_through_a_link_becomes_its_guest(migrate: Migrate) -> None:
    old = migrate("0078_client_says")
    answers_before(old)

    new = migrate("0081_guests_required")

    guests = new.get_model("runs", "Guest").objects
    rows = guests.order_by("created_at").values_list("link__nonce", "name", "shown_name", "key", "is_known_by_name")
    assert list(rows) == [
        ("a", "KIM", "KIM", "kim", True),
        ("b", "Kim", "Kim", "kim", True),
        ("a", "Lee", "Lee", "lee", True),
        ("a", "Robin", "Robin", "robin", True),
    ]
    assert guests.filter(created_at=datetime(2026, 1, 1, tzinfo=UTC)).get().link.nonce == "a"
    kims = guests.get(link__nonce="a", key="kim")
    decisions, comments = (new.get_model("runs", name).objects for name in ("Decision", "Comment"))
    assert dict(decisions.values_list("note", "guest__name")) == {"1": "KIM", "2": "KIM", "3": "Kim", "member": None}
    assert dict(comments.values_list("text", "guest__name")) == {"4": "Lee", "member": None}
    assert list(decisions.filter(guest=kims).values_list("guest_name", flat=True)) == ["Kim", "KIM"]
    contacts = new.get_model("runs", "GuestContact").objects
    assert dict(contacts.values_list("email", "guest")) == {
        "kim@x.test": kims.pk,
        "robin@x.test": guests.get(key="robin").pk,
    }
    _to_the_latest()


def answers_before(apps: Any) -> None:
    """Create answers, comments and addresses of guests of two links, as they were stored before guests had rows."""

    def get(name: str) -> Any:
        return apps.get_model("runs", name).objects

    day = datetime(2026, 1, 1, tzinfo=UTC)
    ann = get("Member").create(email="a@example.com", password="x")
    app = get("App").create(remote_id="a", name="A")
    schema = get("AppSchema").create(app=app, version="1", parameters=[], outputs=[])
    run = get("Run").create(member=ann, app=app, schema=schema, app_name="A", form_token="t", hook_token="t")
    output = get("Output").create(run=run, position=0)
    a, b = (get("GuestLink").create(nonce=n, token_hash=n, member=ann, expires_at=day) for n in "ab")
    given = {"output": output, "verdict": "changes"}
    for number, link, name in ((1, a, "Kim"), (2, a, "KIM"), (3, b, "Kim")):
        of_guest = {"link": link, "guest_name": name, "guest_key": name.lower()}
        at = day + timedelta(hours=number - 1)
        get("Decision").create(**given, **of_guest, note=str(number), created_at=at, is_standing=number > 1)
    of_lee = {"link": a, "guest_name": "Lee", "guest_key": "lee"}
    get("Comment").create(run=run, output=output, **of_lee, text="4", created_at=day + timedelta(hours=9))
    get("Decision").create(**given, member=ann, note="member", is_standing=True)
    get("Comment").create(run=run, member=ann, text="member")
    for name in ("Kim", "Robin"):
        email = f"{name.lower()}@x.test"
        get("GuestContact").create(link=a, guest_name=name, guest_key=name.lower(), email=email, created_at=day)
    get("GuestContact").filter(guest_key="robin").update(created_at=day + timedelta(days=1))
