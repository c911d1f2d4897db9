"""Unlisted apps are found by words, by meaning, or by a pasted address. Every failure is explained."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from runs import catalog
from runs.catalog import own_search
from runs.catalog.pasted_ids import ids_in
from runs.models import App, AppSearch, Member
from tests.catalog.lamina_search import UUID, answer, lamina_part, look, problem_of
from tests.support import factories
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import work

WORKSPACE = "11111111-2222-3333-4444-555555555555"

pytestmark = pytest.mark.django_db(transaction=True)


# --- Found and saved --------------------------------------------------------------------------------------------------
def test_an_app_beyond_the_list_is_found_with_its_why_and_cost(as_alice: Client, beyond: str) -> None:
    page = lamina_part(as_alice, "poster for my dentist")

    assert "Dental advert" in page
    assert "Matches dentist, poster." in page
    assert "about 6 credits" in page
    assert "not on the list yet" in page
    app = App.objects.get(remote_id=beyond)
    assert app.get_absolute_url() in page


def test_a_workspace_that_cannot_discover_still_searches_by_words(
    as_alice: Client, beyond: str, sandbox: SandboxDoor
) -> None:
    sandbox.control("faults", endpoint="discover", fault="status", status=404, times=None)

    page = lamina_part(as_alice, "dental adv")

    assert "Dental advert" in page
    assert problem_of(page) == "no-discover"
    assert [request["query"]["search"] for request in sandbox.requests_to("search")] == ["dental adv"]


def test_a_found_app_is_listed_once_it_is_starred_or_run(
    as_alice: Client, as_bob: Client, alice: Member, beyond: str
) -> None:
    lamina_part(as_alice, "dentist")
    app = App.objects.get(remote_id=beyond)

    def is_listed() -> bool:
        return app.name in as_bob.get("/apps/").content.decode()

    assert not is_listed()
    as_alice.post(app.star_url, {"on": "1"})
    assert is_listed()
    as_alice.post(app.star_url, {"on": "0"})
    assert not is_listed()

    catalog.refresh_app(app.pk)
    page = as_alice.get(app.get_absolute_url()).context
    run = as_alice.post(app.get_absolute_url(), {"token": page["token"], "schema": page["schema_version"]})
    assert run.status_code == 302
    assert "/runs/" in run.headers["Location"]
    assert is_listed()


def test_an_answer_is_shared_and_kept_for_ten_minutes(
    as_alice: Client, as_bob: Client, beyond: str, sandbox: SandboxDoor
) -> None:
    lamina_part(as_alice, "dentist poster")
    assert "Dental advert" in look(as_bob, "  DENTIST   pöster ")
    assert work() == []
    assert len(sandbox.requests_to("discover")) == 1

    AppSearch.objects.update(answered_at=timezone.now() - timedelta(minutes=10, seconds=1))
    look(as_bob, "dentist poster")
    assert work() == ["search_lamina"]


def test_apps_already_shown_above_are_not_repeated(as_alice: Client, beyond: str, sandbox: SandboxDoor) -> None:
    catalog.refresh_catalog()
    sandbox.control("faults", endpoint="discover", fault="status", status=404, times=None)

    assert "Cartoonify" not in lamina_part(as_alice, "cartoonify")
    sandbox.clear_faults()
    page = lamina_part(as_alice, "a cartoon by a dentist")
    assert App.objects.get(name="Cartoonify!").get_absolute_url() not in page
    assert "Matches cartoon." in page  # the app is still named, with Lamina's reason


def test_the_section_is_left_away_if_lamina_only_suggests_what_is_shown_above(
    as_alice: Client, beyond: str, sandbox: SandboxDoor
) -> None:
    catalog.refresh_catalog()
    app = App.objects.get(name="Cartoonify!")
    answer(sandbox, {"data": {"matches": [{"appId": app.remote_id, "name": app.name, "whyMatch": "It draws."}]}})

    page = lamina_part(as_alice, "cartoonify")

    assert 'id="lamina-part"' in page
    assert "It draws." not in page
    assert "Suggested by Lamina" not in page


def test_a_match_without_a_picture_keeps_the_known_one(as_alice: Client, beyond: str, sandbox: SandboxDoor) -> None:
    catalog.refresh_catalog()
    before = App.objects.exclude(thumbnail_url="").get(name="Cartoonify!")
    match = {"appId": before.remote_id, "name": "Cartoonify!", "whyMatch": "It draws."}
    answer(sandbox, {"data": {"matches": [match], "intent": {}}})

    assert "It draws." in lamina_part(as_alice, "zzz a drawing of me")

    after = App.objects.get(pk=before.pk)
    assert (after.thumbnail_url, after.description) == (before.thumbnail_url, before.description)


# --- Pasted -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("pasted", "ids"),
    [
        (UUID, [UUID]),
        (UUID.upper(), [UUID.upper(), UUID]),
        ("app_3xQ-9", ["app_3xQ-9"]),
        (f"https://app.uselamina.ai/apps/{UUID}", [UUID]),
        (f" https://app.uselamina.ai/apps/{UUID}/?tab=run#top ", [UUID]),
        (
            f"app.uselamina.ai/w/11111111-2222-3333-4444-555555555555/a/{UUID}",
            [UUID, "11111111-2222-3333-4444-555555555555"],
        ),
        (f"look at https://elsewhere.test/{UUID} please", [UUID]),
        (f"https://app.uselamina.ai/?id={UUID}", []),
        ("https://app_x.test/", []),
        (f"{UUID}0", []),
        ("app_", []),
        ("a photo/video app", []),
        ("https://[::1", []),
    ],
)
def test_ids_in_what_is_pasted(pasted: str, ids: list[str]) -> None:
    assert ids_in(pasted) == ids


def test_a_pasted_address_opens_the_app_and_is_never_fetched(
    as_alice: Client, beyond: str, sandbox: SandboxDoor
) -> None:
    address = f"{sandbox.url}/never/fetched/{beyond}"
    as_alice.get("/apps/", {"q": address, "ask": "1"})
    work()

    page = as_alice.get("/apps/", {"q": address, "ask": "1"}, follow=True)

    app = App.objects.get(remote_id=beyond)
    assert page.redirect_chain == [(f"{app.get_absolute_url()}?added=1", 302)]
    assert "We found this app on Lamina and added it" in page.content.decode()
    assert "/never/fetched" not in str(sandbox.state["requests"])
    assert app.schema is not None  # the app was read together with its form
    assert not App.objects.listed().filter(pk=app.pk).exists()


def test_a_long_address_opens_its_app_too(as_alice: Client, beyond: str) -> None:
    address = f"https://lamina.test/{'long/' * 60}{beyond}/{'?utm=' * 60}"
    as_alice.get("/apps/", {"q": address, "ask": "1"})
    work()

    page = as_alice.get("/apps/", {"q": address, "ask": "1"}, follow=True)

    assert page.redirect_chain == [(f"{App.objects.get(remote_id=beyond).get_absolute_url()}?added=1", 302)]


def test_before_the_first_list_a_pasted_address_opens_its_app_too(as_alice: Client, beyond: str) -> None:
    assert not App.objects.exists()
    assert 'id="lamina"' in as_alice.get("/apps/").text
    assert "Looking up this app on Lamina" in as_alice.get("/apps/", {"q": beyond}).text


def test_ids_that_differ_in_case_are_searched_separately(as_alice: Client, sandbox: SandboxDoor) -> None:
    for one in ("app_Abc", "app_abc"):
        assert problem_of(lamina_part(as_alice, one)) == "unknown-id"
    paths = [request["path"] for request in sandbox.requests_to("app")]
    assert [path for path in paths if "/app_" in path] == ["/v1/apps/app_Abc", "/v1/apps/app_abc"]


def test_only_a_submitted_address_opens_its_app(as_alice: Client, beyond: str) -> None:
    assert "Found on Lamina and added" in lamina_part(as_alice, beyond)
    sent_off = as_alice.get("/apps/lamina/", {"q": beyond, "go": "1"}, headers={"HX-Request": "true"})
    assert sent_off.headers["HX-Redirect"] == f"{App.objects.get(remote_id=beyond).get_absolute_url()}?added=1"


@pytest.mark.parametrize(("status", "problem"), [(404, "unknown-id"), (403, "closed")])
def test_an_unknown_or_closed_id_says_so(
    as_alice: Client, beyond: str, sandbox: SandboxDoor, status: int, problem: str
) -> None:
    sandbox.control("faults", endpoint="app", fault="status", status=status, times=None)

    assert problem_of(lamina_part(as_alice, f"https://lamina.test/{beyond}")) == problem
    assert not App.objects.filter(remote_id=beyond).exists()


# --- Our own results --------------------------------------------------------------------------------------------------
def test_apps_with_all_words_come_first_then_those_with_some(as_alice: Client) -> None:
    for name in ("Shoe shop banner", "Red shoe photo", "Photo frame", "A hat", "Photo of a red thing"):
        factories.make_app(name)

    found = as_alice.get("/apps/", {"q": "photo of the red shoe"}).context

    assert [app.name for app in found["apps"]] == ["Red shoe photo"]
    assert found["partly"][0].name == "Photo of a red thing"
    assert "A hat" not in [app.name for app in found["partly"]]
    both = as_alice.get("/apps/", {"q": "red photo"}).context
    assert {app.name for app in both["apps"]} == {"Red shoe photo", "Photo of a red thing"}
    assert [app.name for app in both["partly"]] == ["Photo frame"]


def test_common_words_alone_find_no_partial_matches(as_alice: Client) -> None:
    factories.make_app("Something to make for you")
    assert own_search.find(App.objects.all(), "the for zebra").ids == frozenset()
