"""Shared fixtures: people, their clients, and a real sandbox on a socket."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client, TransactionTestCase
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import Settings
from pytest_django.plugin import DjangoDbBlocker
from xdist.scheduler import LoadScopeScheduling

from tests.support.clients import PASSWORD, client_of
from tests.support.processes import SHARED, copy_migrated, drop_database, drop_migrated, migrate_ahead, migrated
from tests.support.requirements import skip_or_fail
from tests.support.sandbox_door import SandboxDoor, small_pictures
from tests.support.tables import way_back

if TYPE_CHECKING:
    from runs.lamina.client import LaminaClient
    from runs.models import Member
    from runs.sandbox.server import Sandbox

pytest_plugins = [
    "tests.support.browser",
    "tests.support.chat_receiver",
    "tests.support.file_servers",
    "tests.support.pretend",
]

# No deadline: other tests run at the same time, so the time an example takes says nothing about the code. CI always
# uses the same examples; other runs look for new ones.
hypothesis_settings.register_profile(
    "here",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis_settings.load_profile("here")


@pytest.fixture(autouse=True)
def _clean_slate(settings: Settings, tmp_path: Path) -> None:
    """Give each test its own media folder and an empty cache."""
    cache.clear()
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(scope="session", autouse=True)
def _no_power_cuts() -> Iterator[None]:
    """Make `os.fsync` do nothing, since what tests save needn't survive a power cut."""
    with patch.object(os, "fsync", lambda _: None):
        yield


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool, django_db_modify_db_settings: None) -> bool:
    """Give each worker a copy of one migrated database, because running the migrations takes several seconds."""
    if connection.vendor != "sqlite" and "PYTEST_XDIST_WORKER" not in os.environ:
        return django_db_keepdb
    if connection.vendor == "sqlite":
        shutil.copyfile(migrated(Path(os.environ[SHARED])), connection.settings_dict["TEST"]["NAME"])
    else:
        copy_migrated(own_postgres())
    return True


def own_postgres() -> str:
    """Return the address of this worker's own database."""
    return (
        urlsplit(os.environ["TEST_DATABASE_URL"])._replace(path=f"/{connection.settings_dict['TEST']['NAME']}").geturl()
    )


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_keepdb: bool, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Undo what tests commit to the database, without Django's slow `flush`."""
    with django_db_blocker.unblock():
        go_back = way_back()
    with patch.object(TransactionTestCase, "_fixture_teardown", lambda _: go_back()):
        yield
    if django_db_keepdb and connection.vendor == "postgresql":  # it is this worker's own copy
        drop_database(own_postgres())


@pytest.fixture
def _at_noon() -> Iterator[None]:
    """Start the clock at noon, so that day counts don't depend on the time of day."""
    with time_machine.travel(timezone.now().replace(hour=12, minute=0), tick=True):
        yield


@pytest.fixture
def _mid_month() -> Iterator[None]:
    """Start the clock at noon in the middle of the month, so that neither a day nor a month ends during the test."""
    with time_machine.travel(timezone.now().replace(day=15, hour=12, minute=0), tick=True):
        yield


# These test files, and the browser tests as a whole, take a long time despite having few tests, mostly because they
# wait for whole portals, or start servers of their own. So they are started first; xdist would start them last, when
# the other workers have nothing left to do.
LONG = (
    "browser",
    "tests/browser/test_axe.py",
    "tests/engine/test_whole.py",
    "tests/storage/test_damaged_http.py",
    "tests/hostile/test_fault_matrix.py",
    "tests/hostile/test_every_app.py",
    "tests/background/test_worker.py",
    "tests/management/test_portal.py",
    "tests/repository/test_tools.py",
    "tests/hostile/test_fault_side.py",
    "tests/storage/test_damaged_files.py",
    "tests/connection/test_quiet_day.py",
    "tests/access/test_access.py",
    "tests/management/test_examples.py",
    "tests/web/test_body_limits.py",
    "tests/engine/test_save_outputs_killed.py",
    "tests/models/test_migrations.py",
    "tests/hostile/test_refusals.py",
    "tests/team/test_security_mail.py",
    "tests/notices/test_mails_killed.py",
    "tests/notices/test_record_killed.py",
    "tests/repository/test_backup.py",
    "tests/server/test_behind_proxies.py",
    "tests/spending/test_limits.py",
    "tests/browser/test_choosing_many.py",
    "tests/review/test_many_people.py",
    "tests/browser/test_queue_keys.py",
    "tests/browser/test_comments.py",
    "tests/review/test_growth.py",
    "tests/access/test_nul.py",
    "tests/catalog/test_own_search.py",
    "tests/catalog/test_lamina_search.py",
    "tests/schema_forms/test_round_trip.py",
    "tests/background/test_broker.py",
    "tests/management/test_demo.py",
    "tests/engine/test_whole_streams.py",
    "tests/browser/test_touch_targets.py",
    "tests/browser/test_after_sign_out.py",
    "tests/browser/test_password_again.py",
    "tests/browser/test_permissions.py",
)


class OnePlace(LoadScopeScheduling):  # type: ignore[misc]
    """In parallel runs, keeps each file on one worker, and the browser tests that share a portal on two workers with
    one portal each.

    test_axe.py makes up a third of those browser tests, so one of these two workers gets that file, and the other gets
    the rest. The other browser tests in LONG start a server of their own, so any worker may get them.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        is_shared = path.startswith("tests/browser/") and path not in LONG
        return "browser" if is_shared else path

    def _assign_work_unit(self, node: Any) -> None:
        """Give the worker `node` its next unit of work: one from LONG if any are left, otherwise the one with the most
        tests."""
        if place := next((place for place in LONG if place in self.workqueue), None):
            self.workqueue.move_to_end(place, last=False)
        super()._assign_work_unit(node)


def pytest_configure(config: pytest.Config) -> None:
    """Create a folder that is shared by all workers of this test run."""
    if not hasattr(config, "workerinput"):
        os.environ[SHARED] = tempfile.mkdtemp(prefix="portal-tests-shared-")
        folder = Path(os.environ[SHARED])
        config.add_cleanup(partial(shutil.rmtree, folder, ignore_errors=True))
        # runs before the folder is removed: cleanups run in reverse order
        config.add_cleanup(partial(drop_migrated, folder))
        if config.getoption("numprocesses", None):
            ahead = Thread(target=migrate_ahead)
            ahead.start()
            config.add_cleanup(ahead.join)


def pytest_collection_finish() -> None:
    """Exclude objects that live until the end, such as the six thousand collected tests, from garbage collection, and
    collect the rest less often. Otherwise, garbage collection would take a tenth of the processor time."""
    gc.collect()
    gc.freeze()
    often, sometimes, _ = gc.get_threshold()
    gc.set_threshold(often, sometimes, 30)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OnePlace:
    return OnePlace(config, log)


@pytest.fixture(scope="session")
def _sandbox_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Sandbox"]:
    from runs.sandbox.server import start_sandbox

    folder = tmp_path_factory.mktemp("sandbox")
    sandbox = start_sandbox(port=0, data_dir=folder, seconds=0.5, per_minute=100, has_test_cards=True)
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(_sandbox_server: "Sandbox", settings: Settings) -> Iterator["SandboxDoor"]:
    """A real sandbox on loopback, freshly reset; the portal's settings point to it. Its pictures are small."""
    door = SandboxDoor(_sandbox_server.url)
    door.control("reset")
    settings.LAMINA_BASE_URL = door.url
    settings.TRUSTED_FILE_ORIGINS = [door.url]
    with small_pictures():
        yield door


@pytest.fixture
def lamina(sandbox: SandboxDoor) -> "LaminaClient":
    """The bare Lamina client, without a request budget or database."""
    from runs.lamina.client import LaminaClient

    return LaminaClient(sandbox.url, "lma_sandbox")


@pytest.fixture
def make_member(db: None) -> Callable[..., "Member"]:
    """Return a function that creates a member by name: `make_member("dora", role="viewer")`."""
    from runs.models import Member

    def make(name: str, **fields: Any) -> Member:
        return Member.objects.create_user(f"{name}@example.com", PASSWORD, name=name.title(), **fields)

    return make


@pytest.fixture
def alice(make_member: Callable[..., "Member"]) -> "Member":
    """The owner of whatever is being tested."""
    return make_member("alice")


@pytest.fixture
def bob(make_member: Callable[..., "Member"]) -> "Member":
    """Alice's teammate, who sees what she shares with the team."""
    return make_member("bob")


@pytest.fixture
def charlie(make_member: Callable[..., "Member"]) -> "Member":
    """A member without access to Alice's private runs."""
    return make_member("charlie")


@pytest.fixture
def admin_member(make_member: Callable[..., "Member"]) -> "Member":
    """An admin who isn't a superuser: the role alone must be enough."""
    return make_member("ada", role="admin")


@pytest.fixture
def as_alice(alice: "Member") -> Client:
    return client_of(alice)


@pytest.fixture
def as_bob(bob: "Member") -> Client:
    return client_of(bob)


@pytest.fixture
def as_charlie(charlie: "Member") -> Client:
    return client_of(charlie)


@pytest.fixture
def as_admin(admin_member: "Member") -> Client:
    return client_of(admin_member)


@pytest.fixture
def redis_url() -> str:
    """Return the address of the real Redis that TEST_REDIS_URL names; skip or fail the test if it isn't set."""
    if not os.environ.get("TEST_REDIS_URL"):
        skip_or_fail("TEST_REDIS_URL is not set: name a Redis that the tests may use")
    return os.environ["TEST_REDIS_URL"]
