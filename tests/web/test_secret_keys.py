"""A changed `PORTAL_SECRET_KEY`: with the old key as a fallback, nobody notices; without it, old signatures are
invalid."""

import re
from dataclasses import dataclass

import pytest
from django.test import Client
from pytest_django import Settings

from runs.models import BrowserSession, KnownAddress, Member
from runs.sharing import links
from runs.team import passwords, sessions
from runs.team.views_sign_in import WRONG
from runs.web import secret_links, throttling
from runs.web.secret_links import Purpose
from runs.web.throttling import KNOWN_FOR, MAX_PER_ADDRESS, MAX_PER_PAIR
from tests.support.clients import PASSWORD
from tests.support.factories import make_kept, make_run
from tests.support.invites import PEOPLE, invite, path_of
from tests.support.sessions import row_of

pytestmark = pytest.mark.django_db
NEW_KEY = "a new key of more than thirty-two characters 7431"
TOO_MANY = throttling.SENTENCE


@dataclass
class Old:
    """Everything that was made with the old key."""

    session: Client
    browser: Client  # this browser is known to the portal, but signed out
    password: str
    invite: str
    guest: str
    guest_address: str
    hook: str


@pytest.fixture
def old(alice: Member, as_admin: Client) -> Old:
    run = make_run(alice, status="completed")
    make_kept(run)
    link = links.make_link(alice, list(run.outputs.all()))
    guest = f"/s/{secret_links.token_of(Purpose.GUEST, link.nonce)}/"
    made = path_of(invite(as_admin, name="Kim"))
    session, browser = Client(), Client()
    for client in (session, browser):
        client.post("/login/", {"username": alice.email, "password": PASSWORD}, REMOTE_ADDR="192.0.2.1")
    browser.post("/logout/")
    alice.refresh_from_db()
    password = "/password" + passwords.new_password_address(alice, passwords.BY_HAND).partition("/password")[2]
    return Old(
        session, browser, password, made, guest, f"http://127.0.0.1:8000{guest}", f"/hooks/lamina/{run.hook_token}/"
    )


def change_key(settings: Settings, monkeypatch: pytest.MonkeyPatch, *, keeps_old: bool) -> None:
    """Change the settings, as a restart with a new key would."""
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if keeps_old else []
    settings.SECRET_KEY = NEW_KEY
    monkeypatch.setattr(sessions, "_noted", {})


def guess(client: Client, email: str, address: str) -> str:
    answer = client.post("/login/", {"username": email, "password": "wrong"}, REMOTE_ADDR=address)
    return answer.content.decode()


def is_known(browser: Client, alice: Member) -> bool:
    """Return whether Alice may still try a password in `browser` after too many wrong ones elsewhere."""
    for _ in range(MAX_PER_PAIR):
        guess(Client(), alice.email, "203.0.113.5")
    return TOO_MANY not in guess(browser, alice.email, "203.0.113.5")


def test_with_the_old_key_among_the_fallbacks_all_goes_on(
    old: Old, alice: Member, as_admin: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = BrowserSession.objects.get(session_key=row_of(old.session).pk)
    change_key(settings, monkeypatch, keeps_old=True)

    assert old.session.get("/me/").status_code == 200
    row.refresh_from_db()
    assert row.session_key == row_of(old.session).pk  # the session key is new, but the row is the same
    page = re.sub(r"\s+", " ", old.session.get("/shares/").content.decode())
    assert old.guest_address in page  # the address is shown so that it can be copied again
    assert Client().get(old.guest).status_code == 200
    assert Client().get(old.invite).status_code == 200
    assert old.invite in as_admin.get(PEOPLE).content.decode()
    assert Client().get(old.password).status_code == 200
    assert Client().post(old.hook).status_code == 503  # the portal knows the path, but has no signing keys
    assert is_known(old.browser, alice)


def test_without_it_what_it_signed_is_void(
    old: Old, alice: Member, as_admin: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_key(settings, monkeypatch, keeps_old=False)

    assert old.session.get("/me/").status_code == 302
    assert Client().get(old.password).status_code == 404
    assert not is_known(old.browser, alice)
    again = Client()
    again.force_login(alice)
    assert old.guest_address not in again.get("/shares/").content.decode()
    assert Client().get(old.guest).status_code == 200  # the link is found by its token's hash, which needs no key


@pytest.mark.parametrize("keeps_old", [True, False])
def test_addresses_stay_known_with_the_old_key_alone(
    old: Old, alice: Member, settings: Settings, monkeypatch: pytest.MonkeyPatch, keeps_old: bool
) -> None:
    change_key(settings, monkeypatch, keeps_old=keeps_old)
    for n in range(MAX_PER_ADDRESS):
        guess(Client(), f"p{n}@example.com", "192.0.2.1")
    assert (WRONG if keeps_old else TOO_MANY) in guess(Client(), alice.email, "192.0.2.1")


def test_what_is_known_of_an_address_tells_neither_it_nor_the_person(old: Old, alice: Member) -> None:
    (row,) = KnownAddress.objects.all()
    assert re.fullmatch(r"[0-9a-f]{64}", row.key)
    assert KNOWN_FOR.days == 30
