"""Signing in: attempts are throttled, a wrong address and a wrong password lead to the same error, and no posted form
is lost."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape
from pytest_django import Settings

from runs.models import KnownAddress, Member, ThrottleHit
from runs.team.views_sign_in import REPLAY_MAX_BYTES, WRONG, Replay, make_replay, read_replay
from runs.web import throttling
from runs.web.throttling import DEVICE_COOKIE, MAX_PER_ADDRESS, MAX_PER_DEVICE, MAX_PER_PAIR
from tests.support.clients import PASSWORD, run_out
from tests.support.html import flat

pytestmark = pytest.mark.django_db


def try_in(client: Client, email: str, password: str, address: str = "192.0.2.1", **fields: str) -> str:
    """Post the sign-in form; return the page, or the address it redirects to."""
    answer = client.post("/login/", {"username": email, "password": password, **fields}, REMOTE_ADDR=address)
    return answer.headers.get("Location") or answer.content.decode()


def test_the_address_works_in_any_case(client: Client, alice: Member) -> None:
    assert try_in(client, " Alice@Example.COM ", PASSWORD) == "/"


def test_sign_in_leads_back_to_the_page_but_never_to_a_foreign_one(client: Client, alice: Member) -> None:
    assert try_in(client, alice.email, PASSWORD, next="/history/") == "/history/"
    assert try_in(Client(), alice.email, PASSWORD, next="https://evil.example/") == "/"


def test_the_answer_does_not_tell_which_part_was_wrong(client: Client, alice: Member, bob: Member) -> None:
    Member.objects.filter(pk=bob.pk).update(is_active=False)
    for email, password in ((alice.email, "wrong"), ("nobody@example.com", PASSWORD), (bob.email, PASSWORD)):
        page = try_in(client, email, password)
        assert WRONG in page
        assert password not in page


def test_guessing_at_one_person_is_stopped(client: Client, alice: Member) -> None:
    for _ in range(MAX_PER_PAIR):
        assert WRONG in try_in(client, alice.email, "wrong")
    assert throttling.SENTENCE in try_in(client, alice.email.upper(), PASSWORD)
    ThrottleHit.objects.update(at=timezone.now() - timedelta(minutes=11))
    assert try_in(client, alice.email, PASSWORD) == "/"


def test_a_stranger_locks_no_one_out(client: Client, alice: Member) -> None:
    for _ in range(MAX_PER_PAIR + 5):
        try_in(client, alice.email, "wrong", "198.51.100.7")
    assert try_in(client, alice.email, PASSWORD, "192.0.2.1") == "/"


def test_one_network_of_ipv6_counts_as_one_address(client: Client, alice: Member) -> None:
    for n in range(MAX_PER_PAIR):
        assert WRONG in try_in(client, alice.email, "wrong", f"2001:db8:0:1::{n:x}")
    assert throttling.SENTENCE in try_in(client, alice.email, PASSWORD, "2001:db8:0:1:ffff::1")
    assert try_in(client, alice.email, PASSWORD, "2001:db8:0:2::1") == "/"


def test_ipv4_addresses_stay_apart_on_an_ipv6_socket(client: Client, alice: Member) -> None:
    for n in range(MAX_PER_ADDRESS):
        assert WRONG in try_in(client, f"p{n}@example.com", "wrong", "::ffff:198.51.100.7")
    assert throttling.SENTENCE in try_in(client, alice.email, PASSWORD, "198.51.100.7")
    assert try_in(client, alice.email, PASSWORD, "::ffff:192.0.2.1") == "/"


def test_guessing_from_very_many_addresses_is_stopped_but_not_for_a_browser_that_is_known(
    alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "MAX_PER_ACCOUNT", 20)  # a lower limit, so that the test doesn't need 100 attempts
    known, others = Client(), Client()
    assert try_in(known, alice.email, PASSWORD) == "/"
    known.post("/logout/")
    assert try_in(others, bob.email, PASSWORD) == "/"
    others.post("/logout/")
    for n in range(20):
        assert WRONG in try_in(Client(), alice.email, "wrong", f"198.51.100.{n}")
    assert throttling.SENTENCE in try_in(Client(), alice.email, PASSWORD, "192.0.2.9")
    # this browser is known, but only for Bob
    assert throttling.SENTENCE in try_in(others, alice.email, PASSWORD, "192.0.2.9")
    assert try_in(known, alice.email, PASSWORD, "192.0.2.9") == "/"


def test_a_known_browser_is_no_way_to_guess(alice: Member) -> None:
    known = Client()
    try_in(known, alice.email, PASSWORD)
    known.post("/logout/")
    for n in range(MAX_PER_DEVICE):
        assert WRONG in try_in(known, alice.email, "wrong", f"192.0.2.{n}")
    assert throttling.SENTENCE in try_in(known, alice.email, PASSWORD, "192.0.2.99")


def test_a_made_up_device_counts_as_none(alice: Member) -> None:
    client = Client()
    client.cookies[DEVICE_COOKIE] = "made:up"
    for _ in range(MAX_PER_PAIR):
        assert WRONG in try_in(client, alice.email, "wrong")
    assert throttling.SENTENCE in try_in(client, alice.email, PASSWORD)


def test_the_device_cookie_is_out_of_reach_for_scripts(client: Client, alice: Member) -> None:
    try_in(client, alice.email, PASSWORD)
    cookie = client.cookies[DEVICE_COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert alice.email not in cookie.value


def test_waiting_out_is_not_prolonged_by_trying(client: Client, alice: Member) -> None:
    for _ in range(MAX_PER_PAIR + 5):
        try_in(client, alice.email, "wrong")
    assert ThrottleHit.objects.count() == 3 * MAX_PER_PAIR


def test_guessing_at_many_people_from_one_address_is_stopped(client: Client, alice: Member) -> None:
    for n in range(MAX_PER_ADDRESS):
        assert WRONG in try_in(client, f"p{n}@example.com", "wrong")
    assert throttling.SENTENCE in try_in(client, alice.email, PASSWORD)
    assert try_in(client, alice.email, PASSWORD, "192.0.2.2") == "/"


def test_an_office_is_not_locked_out_by_one_who_guesses_there(alice: Member, bob: Member) -> None:
    for address in ("192.0.2.1", "2001:db8:0:1::5"):
        assert try_in(Client(), alice.email, PASSWORD, address) == "/"
        for n in range(MAX_PER_ADDRESS):
            try_in(Client(), f"p{n}@example.com", "wrong", address)
        # Bob has never signed in from that address
        assert throttling.SENTENCE in try_in(Client(), bob.email, PASSWORD, address)
        assert try_in(Client(), alice.email, PASSWORD, address) == "/"
    assert throttling.SENTENCE in try_in(Client(), bob.email, PASSWORD, "2001:db8:0:1::7")  # this is the same network
    assert try_in(Client(), alice.email, PASSWORD, "2001:db8:0:1::7") == "/"


def test_an_address_is_forgotten_after_30_days_and_known_by_each_success(alice: Member) -> None:
    try_in(Client(), alice.email, PASSWORD)
    for n in range(MAX_PER_ADDRESS):
        try_in(Client(), f"p{n}@example.com", "wrong")
    KnownAddress.objects.update(at=timezone.now() - timedelta(days=30))
    assert throttling.SENTENCE in try_in(Client(), alice.email, PASSWORD)
    KnownAddress.objects.update(at=timezone.now() - timedelta(days=29))
    assert try_in(Client(), alice.email, PASSWORD) == "/"
    assert timezone.now() - KnownAddress.objects.get().at < timedelta(minutes=1)
    KnownAddress.objects.update(at=timezone.now() - timedelta(days=32))
    throttling.tidy(timezone.now())
    assert not KnownAddress.objects.exists()


def test_a_known_address_is_no_way_to_guess(alice: Member) -> None:
    try_in(Client(), alice.email, PASSWORD)
    for _ in range(MAX_PER_PAIR):
        assert WRONG in try_in(Client(), alice.email, "wrong")
    assert throttling.SENTENCE in try_in(Client(), alice.email, PASSWORD)


def test_a_success_forgets_the_failures_of_that_person(client: Client, alice: Member) -> None:
    for _ in range(MAX_PER_PAIR - 1):
        try_in(client, alice.email, "wrong")
    assert try_in(Client(), alice.email, PASSWORD) == "/"
    assert WRONG in try_in(Client(), alice.email, "wrong")


def test_neither_mail_nor_address_is_written_down(client: Client) -> None:
    try_in(client, "someone@example.com", "wrong")
    keys = list(ThrottleHit.objects.values_list("key", flat=True))
    assert len(keys) == 3
    assert all(len(key) == 64 and "someone" not in key for key in keys)


VALUES = {"p0": 'a "quoted" <b>\r\ntwo lines', "p1": ["2", "3"], "schema": "v1", "csrfmiddlewaretoken": "old"}
HOSTILE = 'a "quoted" <b>\r\ntwo lines'


def expired_post(client: Client | None = None, **values: object) -> tuple[Client, str, str]:
    """Post `VALUES` without being signed in; return the client, the page and the page's `replay`."""
    client = client or Client()
    answer = client.post("/apps/cartoonify-abc/?from=x", VALUES | values)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return client, answer.content.decode(), answer.context["replay"]


def test_what_was_posted_is_offered_again_after_the_sign_in(alice: Member) -> None:
    client, page, replay = expired_post(password="hidden", api_password="hidden")
    assert escape(replay) in page
    wrong = client.post("/login/", {"username": alice.email, "password": "wrong", "replay": replay})
    assert wrong.context["replay"] == replay
    assert escape(replay) in wrong.content.decode()
    resumed = client.post("/login/", {"username": alice.email, "password": PASSWORD, "replay": replay})
    assert resumed.templates[0].name == "team/resume.html"
    assert resumed.context["action"] == "/apps/cartoonify-abc/?from=x"
    assert resumed.context["fields"] == [("p0", HOSTILE), ("p1", "2"), ("p1", "3"), ("schema", "v1")]
    assert escape("<b>") in resumed.content.decode()
    assert "The files you chose" not in resumed.text
    assert "hidden" not in dict(resumed.context["fields"]).values()


def test_a_person_signed_in_in_another_tab_meanwhile_loses_nothing_either(as_alice: Client) -> None:
    _, _, replay = expired_post()
    resumed = as_alice.post("/login/", {"username": "x@example.com", "password": "x", "replay": replay})
    assert resumed.context["action"] == "/apps/cartoonify-abc/?from=x"


def test_a_replay_that_is_not_ours_leads_home(alice: Member) -> None:
    _, _, replay = expired_post()
    for bad in ("nonsense", replay[:-1] + ("A" if replay[-1] != "A" else "B")):
        assert read_replay(bad) is None
        assert try_in(Client(), alice.email, PASSWORD, replay=bad) == "/"


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_a_replay_never_leads_out_of_the_portal(path: str) -> None:
    assert read_replay(make_replay(Replay(path, [("a", "b")]))) is None


def test_what_is_too_long_to_carry_is_told(as_alice: Client) -> None:
    noise = "".join(map(str, range(REPLAY_MAX_BYTES)))
    answer = run_out(as_alice).post("/apps/cartoonify-abc/", {"p0": noise})
    assert answer.status_code == 200
    assert answer.context["replay"] == ""
    assert answer.context["is_lost"]
    assert answer.context["next"] == "/apps/cartoonify-abc/"


def keep_names(request: HttpRequest) -> list[tuple[str, str]]:
    """Act as an EXPIRED_FILES_KEEPER that returns a field in place of each file."""
    return [(f"{name}_kept", str(getattr(file, "name", ""))) for name, file in request.FILES.items()]


def test_posted_files_are_handed_to_their_keeper(as_alice: Client, settings: Settings) -> None:
    settings.EXPIRED_FILES_KEEPER = f"{__name__}.keep_names"
    _, _, replay = expired_post(run_out(as_alice), p2=SimpleUploadedFile("cat.png", b"x"))
    kept = read_replay(replay)
    assert kept is not None
    assert ("p2_kept", "cat.png") in kept[1]


def test_a_file_that_is_not_kept_is_told(as_alice: Client, alice: Member) -> None:
    client, page, replay = expired_post(run_out(as_alice), logo=SimpleUploadedFile("oak.png", b"x"))
    assert "Everything you filled in is saved, except the files you chose." in flat(page)
    resumed = client.post("/login/", {"username": alice.email, "password": PASSWORD, "replay": replay})
    assert "The files you chose weren't saved" in flat(resumed.text)
    assert dict(resumed.context["fields"])["p0"] == HOSTILE


def test_a_file_that_is_not_kept_is_told_apart_from_one_that_is(
    as_alice: Client, alice: Member, settings: Settings
) -> None:
    settings.EXPIRED_FILES_KEEPER = f"{__name__}.keep_names"  # keeps only one file per field
    two = [SimpleUploadedFile("cat.png", b"x"), SimpleUploadedFile("oak.png", b"x")]
    client, page, replay = expired_post(run_out(as_alice), p2=two)
    assert "Everything you filled in is saved, except some of the files you chose." in flat(page)
    resumed = client.post("/login/", {"username": alice.email, "password": PASSWORD, "replay": replay})
    assert "Some of the files you chose weren't saved" in flat(resumed.text)


def test_a_clock_that_was_ahead_keeps_nobody_out(client: Client, alice: Member) -> None:
    for _ in range(MAX_PER_PAIR):
        try_in(client, alice.email, "wrong")
    assert throttling.SENTENCE in try_in(client, alice.email, PASSWORD)

    # as if the clock had been two hours fast and was then corrected
    ThrottleHit.objects.update(at=timezone.now() + timedelta(hours=2))

    assert try_in(client, alice.email, PASSWORD) == "/"
