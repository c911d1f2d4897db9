"""A page without apps says why, and whether any will appear by themselves."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from runs.connection.status import record_status
from runs.models import AppRule
from tests.support import factories
from tests.support.page import Page
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import work

pytestmark = pytest.mark.django_db(transaction=True)
LOADING = "We're loading the apps from Lamina."
LATE = "Lamina isn't sending its list of apps. We'll keep trying."
NONE_OPEN = "No apps are available to you yet. Ask an admin."
ALL_HIDDEN = "All apps are hidden. Choose which ones people see."
EMPTY = "Lamina's list is empty. Check that the key's workspace has apps."
PAGES = ("/", "/apps/", "/apps/?q=poster")
HEALTH, MANAGE = "/manage/", "/manage/apps/"


def told(client: Client, url: str) -> tuple[str, str]:
    """Return the sentence on a page without apps, and where its button leads."""
    empty = Page(client.get(url).text).first(css="empty")
    return empty.first("p").words, empty.first("a").attributes["href"]


def hide_all() -> None:
    record_status(catalog_at=timezone.now(), catalog_count=2)
    for n in range(2):
        AppRule.objects.create(app=factories.make_app(f"App {n}"), is_hidden=True)


@pytest.mark.parametrize("url", PAGES)
def test_before_the_first_list_the_apps_are_being_loaded(as_alice: Client, as_admin: Client, url: str) -> None:
    assert told(as_alice, url) == (f"{LOADING} They'll appear here in a moment.", url)
    assert told(as_admin, url)[0].startswith(LOADING)


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.parametrize(
    "problem",
    [{"catalog_problem": "refused"}, {"catalog_problem": "late"}, {"away_since": timezone.now()}],
    ids=["refused", "late", "away"],
)
def test_if_the_list_is_refused_or_late_none_are_promised(
    as_alice: Client, as_admin: Client, url: str, problem: dict[str, Any]
) -> None:
    record_status(**problem)
    assert told(as_alice, url) == (LATE, url)
    assert told(as_admin, url) == (LATE, HEALTH)


@pytest.mark.parametrize("url", PAGES)
def test_if_all_apps_are_hidden_an_admin_can_help(as_alice: Client, as_admin: Client, url: str) -> None:
    hide_all()
    assert told(as_alice, url) == (NONE_OPEN, url)
    assert told(as_admin, url) == (ALL_HIDDEN, MANAGE)


@pytest.mark.parametrize("url", PAGES)
def test_an_empty_list_is_not_still_loading(as_alice: Client, as_admin: Client, url: str) -> None:
    record_status(catalog_at=timezone.now(), catalog_count=0)
    assert told(as_alice, url) == (NONE_OPEN, url)
    assert told(as_admin, url) == (EMPTY, HEALTH)


def test_the_admins_own_list_says_so_too(as_admin: Client) -> None:
    record_status(catalog_at=timezone.now(), catalog_count=0)
    assert told(as_admin, MANAGE) == (EMPTY, HEALTH)


def test_a_list_that_lamina_refuses_at_every_size_is_not_still_loading(as_alice: Client, sandbox: SandboxDoor) -> None:
    sandbox.control("faults", endpoint="apps", fault="status", status=400, times=None)
    as_alice.get("/apps/")
    work()
    assert told(as_alice, "/apps/")[0] == LATE


@pytest.mark.parametrize("url", PAGES)
def test_with_a_refused_key_no_apps_are_promised_in_a_moment(as_alice: Client, url: str) -> None:
    record_status(key_refused_at=timezone.now())
    empty = Page(as_alice.get(url).text).first(css="empty")
    assert empty.words.endswith("Apps will appear here once the connection to Lamina is fixed.")
    assert not empty.find("a")
