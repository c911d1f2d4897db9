"""The order of apps: how admins set groups and places by keyboard, without scripts, and what people see as a result."""

import pytest
from django.test import Client

from runs.models import App, AppRule
from tests.support.factories import make_app
from tests.support.page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def apps() -> list[App]:
    """Four apps in Lamina's order: A, B, C, D."""
    return [make_app(name, position=position) for position, name in enumerate("ABCD")]


def test_apps_move_up_and_down_and_to_a_place(as_admin: Client, apps: list[App]) -> None:
    a, b, c, d = apps
    assert _names(as_admin) == ["A", "B", "C", "D"]

    said = _press(as_admin, f"down:{a.public_id}")
    assert _names(as_admin) == ["B", "A", "C", "D"]
    assert "“A” is now number 2 of 4." in said
    _press(as_admin, f"up:{d.public_id}")
    assert _names(as_admin) == ["B", "A", "D", "C"]
    _press(as_admin, f"up:{b.public_id}")  # has no effect, since B is already first
    assert _names(as_admin) == ["B", "A", "D", "C"]
    _press(as_admin, "place", on=[b, a, d, c], was=["1", "2", "3", "4"], place=["4", "2", "x", "1"])
    assert _names(as_admin) == ["C", "A", "D", "B"]
    assert _people_see(as_admin) == ["C", "A", "D", "B"]


def test_home_has_the_admins_order_too(as_admin: Client, as_bob: Client, apps: list[App]) -> None:
    a, _b, c, _d = apps
    _press(as_admin, f"down:{a.public_id}")
    _press(as_admin, "group", group="Photos", app=[c])
    on_home = [link.words for link in Page(as_bob.get("/").text).find(css="card-link")]
    assert on_home == _people_see(as_bob)[:3] == ["C", "B", "A"]


def test_an_app_that_is_new_at_lamina_comes_last(as_admin: Client, apps: list[App]) -> None:
    _press(as_admin, f"down:{apps[0].public_id}")
    make_app("New", position=0)
    assert _names(as_admin) == ["B", "A", "New", "C", "D"]  # only A and B have places set by an admin


def test_groups_are_headings_in_the_admins_order(as_admin: Client, as_bob: Client, apps: list[App]) -> None:
    a, b, _c, d = apps
    _press(as_admin, "group", group=" Film  work ", app=[d, b])
    _press(as_admin, "group", group="Photos", app=[a])
    assert _headings(as_bob) == ["Film work", "Photos", "Other apps"]
    assert _people_see(as_bob) == ["B", "D", "A", "C"]

    _press(as_admin, "group-up:Photos")
    assert _headings(as_bob) == ["Photos", "Film work", "Other apps"]
    assert _names(as_admin) == ["A", "B", "D", "C"]
    _press(as_admin, f"up:{d.public_id}")
    assert _people_see(as_bob) == ["A", "D", "B", "C"]
    _press(as_admin, "group", group="", app=[a, b, d])
    assert not _headings(as_bob)


def test_ticked_apps_are_hidden_and_shown(as_admin: Client, as_bob: Client, apps: list[App]) -> None:
    assert "Tick at least one app first." in _press(as_admin, "hide")
    assert "2 apps are now hidden." in _press(as_admin, "hide", app=apps[:2])
    assert _people_see(as_bob) == ["C", "D"]
    assert _names(as_admin) == ["A", "B", "C", "D"]
    assert _names(as_admin, show="hidden") == ["A", "B"]
    assert "1 app is visible again." in _press(as_admin, "show", app=[apps[0], apps[3]])
    assert _people_see(as_bob) == ["A", "C", "D"]


def test_the_pressed_button_has_the_focus_again(as_admin: Client, apps: list[App]) -> None:
    """Without scripts, the new page puts the focus back on the button; with scripts, htmx finds the button again by its
    id."""
    answer = as_admin.post("/manage/apps/", {"act": f"down:{apps[0].public_id}"}, follow=True)
    focused = [tag.attributes["id"] for tag in Page(answer.text).find("button") if "autofocus" in tag.attributes]
    assert focused == [f"down-{apps[0].public_id}"]


def test_places_are_no_changes_that_another_admin_could_overwrite(as_admin: Client, apps: list[App]) -> None:
    _press(as_admin, f"down:{apps[0].public_id}")
    assert set(AppRule.objects.values_list("version", flat=True)) == {0}


def test_admins_find_apps_by_name_and_group(as_admin: Client, apps: list[App]) -> None:
    make_app("Café poster", position=9)
    _press(as_admin, "group", group="Shop", app=[apps[2]])
    assert _names(as_admin, q="CAFE") == ["Café poster"]
    assert _names(as_admin, q="shop") == ["C"]
    assert "No apps match." in as_admin.get("/manage/apps/", {"q": "zebra"}).text


def _press(client: Client, act: str, **posted: object) -> str:
    data = {name: [_id(one) for one in value] if isinstance(value, list) else value for name, value in posted.items()}
    answer = client.post("/manage/apps/", {"act": act, **data}, follow=True)
    assert answer.status_code == 200
    return answer.text


def _id(one: object) -> object:
    return one.public_id if isinstance(one, App) else one


def _names(client: Client, **query: str) -> list[str]:
    return [link.words for link in Page(client.get("/manage/apps/", query).text).find(css="managed-name")]


def _people_see(client: Client) -> list[str]:
    return [link.words for link in Page(client.get("/apps/").text).find(css="card-link")]


def _headings(client: Client) -> list[str]:
    return [heading.words for heading in Page(client.get("/apps/").text).find(css="app-group-name")]
