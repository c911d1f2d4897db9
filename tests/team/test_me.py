"""A member's own settings and password, and the browsers where they're signed in."""

import re
from collections.abc import Callable
from copy import copy
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client, TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from runs.models import BrowserSession, Entry, Member, Verb
from runs.team import passwords, sessions
from runs.team.browsers import browser_of, browser_words
from runs.web.throttling import MAX_PER_PAIR
from tests.support.clients import PASSWORD, client_of
from tests.support.sessions import move_end, row_of

pytestmark = pytest.mark.django_db
NEW = "another long password"
ENDS_ONE = r"/me/sessions/\w{16}/end/"  # the form that signs out one browser
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def page_of(client: Client, path: str = "/me/") -> str:
    return re.sub(r"\s+", " ", client.get(path).content.decode())


def sign_in(member: Member, password: str = PASSWORD, **headers: str) -> Client:
    client = Client(headers=headers)
    client.post("/login/", {"username": member.email, "password": password})
    return client


def is_in(client: Client) -> bool:
    return client.get("/me/").status_code == 200


def path_of(member: Member, lifetime: timedelta = passwords.BY_MAIL) -> str:
    return "/password" + passwords.new_password_address(member, lifetime).partition("/password")[2]


# --- Settings


def test_name_look_and_shortcuts_are_kept(as_alice: Client, alice: Member) -> None:
    assert "data-hotkey" in page_of(as_alice)
    answer = as_alice.post("/me/", {"name": "Alice B", "theme": "dark"})
    assert answer.status_code == 302
    alice.refresh_from_db()
    assert (alice.name, alice.theme, alice.has_shortcuts) == ("Alice B", "dark", False)
    for path in ("/me/", "/history/", "/apps/"):
        page = page_of(as_alice, path)
        assert 'data-theme="dark"' in page
        assert '<meta name="color-scheme" content="dark">' in page
        assert "data-hotkey" not in page
    as_alice.post("/me/", {"name": "Alice B", "theme": "", "has_shortcuts": "on"})
    assert "data-theme" not in page_of(as_alice)


def test_utc_can_be_chosen_as_time_zone(as_alice: Client, alice: Member) -> None:
    assert '<option value="UTC">UTC</option>' in page_of(as_alice)
    assert as_alice.post("/me/", {"name": "Alice", "theme": "", "time_zone": "UTC"}).status_code == 302
    alice.refresh_from_db()
    assert alice.time_zone == "UTC"


def test_no_one_can_give_themselves_a_role(as_alice: Client, alice: Member) -> None:
    as_alice.post("/me/", {"name": "Alice", "theme": "", "role": "admin", "email": "x@example.com", "is_active": ""})
    alice.refresh_from_db()
    assert (alice.role, alice.email, alice.is_active) == ("maker", "alice@example.com", True)


def test_a_refused_setting_changes_nothing(as_alice: Client, alice: Member) -> None:
    answer = as_alice.post("/me/", {"name": " ", "theme": "dark"})
    assert answer.status_code == 422
    assert "data-theme" not in answer.content.decode()
    alice.refresh_from_db()
    assert alice.theme == ""


def test_a_name_is_one_line(as_alice: Client, alice: Member) -> None:
    for typed in ("Alice\r\n Liddell", "  Alice\u2028Liddell ", "Alice \t Liddell"):
        assert as_alice.post("/me/", {"name": typed, "theme": ""}).status_code == 302
        alice.refresh_from_db()
        assert alice.name == "Alice Liddell"
    assert as_alice.post("/me/", {"name": "\r\n", "theme": ""}).status_code == 422
    assert as_alice.post("/me/", {"name": "A" * 151, "theme": ""}).status_code == 422


# --- Where a member is signed in


def test_each_browser_is_listed_and_this_one_is_marked(alice: Member) -> None:
    here = sign_in(alice, **{"User-Agent": FIREFOX})
    sign_in(alice, **{"User-Agent": "curl/8"})
    page = page_of(here)
    assert page.index("Firefox on Windows") < page.index("Unknown browser")
    assert page.count("This browser") == 1
    assert len(re.findall(ENDS_ONE, page)) == 1


def test_one_browser_or_all_others_are_signed_out(alice: Member, bob: Member) -> None:
    here, there, third = (sign_in(alice) for _ in range(3))
    others = sign_in(bob)
    one = BrowserSession.objects.get(session_key=row_of(there).pk)
    assert client_of(bob).post(f"/me/sessions/{one.public_id}/end/").status_code == 404
    assert here.post(f"/me/sessions/{one.public_id}/end/").status_code == 302
    assert [is_in(client) for client in (here, there, third)] == [True, False, True]
    here.post("/me/sessions/end-others/")
    assert [is_in(client) for client in (here, third, others)] == [True, False, True]
    assert alice.signed_in.count() == 1


def test_signing_out_removes_the_browser_from_the_list(alice: Member) -> None:
    here, there = sign_in(alice), sign_in(alice)
    there.post("/logout/")
    assert alice.signed_in.count() == 1
    assert "Sign out everywhere else" not in page_of(here)


def test_an_expired_session_is_not_listed(alice: Member) -> None:
    here, there = sign_in(alice), sign_in(alice)
    move_end(there, 0)
    assert not re.search(ENDS_ONE, page_of(here))


def test_last_seen_is_written_only_now_and_then(alice: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    here = sign_in(alice)
    long_ago = timezone.now() - timedelta(hours=1)
    alice.signed_in.update(seen_at=long_ago)
    here.get("/history/")
    # the portal has just recorded the sign-in, so it doesn't record this request as well
    assert alice.signed_in.get().seen_at == long_ago
    monkeypatch.setattr(sessions, "_noted", {})
    here.get("/history/")
    assert alice.signed_in.get().seen_at > long_ago


def test_a_session_older_than_the_list_is_added_to_it(alice: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    here = sign_in(alice)
    BrowserSession.objects.all().delete()
    monkeypatch.setattr(sessions, "_noted", {})
    assert "This browser" in page_of(here)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Mac"),
        ("curl/8 (Linux)", "Browser on Linux"),
        ("", "Unknown browser"),
    ],
)  # fmt: skip
def test_browsers_are_named_in_words(agent: str, words: str) -> None:
    assert browser_words(browser_of(agent)) == words


# --- Passwords


def test_a_changed_password_ends_every_other_sign_in(alice: Member) -> None:
    here, there = sign_in(alice), sign_in(alice)
    answer = here.post("/password/change/", {"old_password": PASSWORD, "password": NEW})
    assert answer.status_code == 302
    assert [is_in(here), is_in(there)] == [True, False]
    assert "This browser" in page_of(here)  # the list still shows this session, even though its key has changed
    assert alice.signed_in.count() == 1
    assert is_in(sign_in(alice, NEW))


def test_changing_a_password_needs_the_old_one(as_alice: Client, alice: Member) -> None:
    wrong = as_alice.post("/password/change/", {"old_password": "wrong", "password": NEW})
    assert "Wrong password." in wrong.content.decode()
    weak = as_alice.post("/password/change/", {"old_password": PASSWORD, "password": "short"})
    assert "too short" in weak.content.decode()
    for _ in range(9):
        as_alice.post("/password/change/", {"old_password": "wrong", "password": NEW})
    stopped = as_alice.post("/password/change/", {"old_password": PASSWORD, "password": NEW})
    assert "many attempts" in stopped.content.decode()
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_after_too_many_guesses_the_page_does_not_say_which_password_is_right(as_alice: Client, alice: Member) -> None:
    def change(old: str) -> str:
        answer = as_alice.post("/password/change/", {"old_password": old, "password": NEW})
        assert answer.status_code == 422
        varying = r"(X-CSRFToken\W+|csrfmiddlewaretoken\W+value=.)\w{64}|It&#x27;s now [^<]+"  # tokens and the time
        return re.sub(varying, "", answer.content.decode())

    assert "Wrong password." in [change("guess") for _ in range(MAX_PER_PAIR)][-1]
    limited = change("guess")
    assert (limited, "many attempts" in limited) == (change(PASSWORD), True)
    assert "Wrong password." not in limited


def test_guesses_of_the_old_password_count_as_sign_ins_and_are_recorded(as_alice: Client, alice: Member) -> None:
    for old in ("", PASSWORD):  # these aren't guesses
        as_alice.post("/password/change/", {"old_password": old, "password": "short"})
    assert not Entry.objects.filter(verb=Verb.PERSON_REFUSED).exists()
    for _ in range(MAX_PER_PAIR):
        as_alice.post("/password/change/", {"old_password": "guess", "password": NEW})
    assert Entry.objects.get(verb=Verb.PERSON_REFUSED).object_id == alice.public_id
    answer = Client().post("/login/", {"username": alice.email, "password": PASSWORD})
    assert "many attempts" in answer.content.decode()


def asked_for(email: str, run_tasks: Callable[..., None], address: str = "192.0.2.1") -> str:
    """Request a new password, run the worker's tasks, and return the page."""
    answer = Client().post("/password/reset/", {"email": email}, REMOTE_ADDR=address)
    run_tasks()
    return answer.content.decode().replace(email, "THEM")


@pytest.fixture
def run_tasks(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that runs the queued tasks."""
    waiting: list[int] = []
    monkeypatch.setattr("runs.team.views_join.enqueue", lambda task, pk: waiting.append(pk))

    def run() -> None:
        while waiting:
            passwords.send_new_password_mail(waiting.pop())

    return run


def test_an_email_leads_to_a_new_password_and_the_answer_does_not_reveal_accounts(
    alice: Member, run_tasks: Callable[[], None], mailoutbox: list[EmailMessage]
) -> None:
    there = sign_in(alice)
    known = asked_for("Alice@example.com", run_tasks)
    unknown = asked_for("nobody@example.com", run_tasks)
    assert re.sub(r"\w{64}", "", known.replace("Alice@example.com", "")) == re.sub(r"\w{64}", "", unknown)
    (mail,) = mailoutbox
    found = re.search(r"http://\S+(/password/reset/\S+)", str(mail.body))
    assert found
    client = Client()
    assert "alice@example.com" in client.get(found[1]).content.decode()
    assert "too short" in client.post(found[1], {"password": "short"}).content.decode()
    assert client.post(found[1], {"password": NEW}).headers["Location"] == "/"
    assert is_in(client)
    assert not is_in(there)
    assert Client().get(found[1]).status_code == 404  # the link works only once


def test_one_person_gets_only_a_few_emails(
    alice: Member, run_tasks: Callable[[], None], mailoutbox: list[EmailMessage]
) -> None:
    for n in range(6):
        asked_for(alice.email, run_tasks, f"192.0.2.{n}")
    assert len(mailoutbox) == 3


def test_an_unknown_address_takes_as_many_queries(alice: Member) -> None:
    """If an unknown address needed fewer queries, the response time would reveal who has an account."""
    counts = []
    for email in ("somebody@example.com", alice.email, "nobody@example.com"):  # the first one is a warm-up
        with CaptureQueriesContext(connection) as asked, TestCase.captureOnCommitCallbacks(execute=True):
            Client().post("/password/reset/", {"email": email})
        counts.append(len(asked))
    assert counts[1] == counts[2]


def test_asking_is_slowed_down(alice: Member, run_tasks: Callable[[], None]) -> None:
    for n in range(50):
        asked_for(f"p{n}@example.com", run_tasks)
    assert "many attempts" in asked_for(alice.email, run_tasks)


def test_without_a_mail_server_people_are_sent_to_an_admin(settings: Settings, admin_member: Member) -> None:
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}
    page = page_of(Client(), "/password/reset/")
    assert "send emails. Ask an admin" in page
    assert admin_member.email not in page  # the page doesn't name admins, since strangers can read it too


def test_an_admin_makes_a_link_to_pass_on(as_admin: Client, alice: Member, bob: Member) -> None:
    page = as_admin.post(f"/manage/people/{alice.public_id}/new-password/").content.decode()
    found = re.search(r"http://\S+?(/password/reset/[\w-]+/)", page)
    assert found
    assert Client().post(found[1], {"password": NEW}).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    Member.objects.filter(pk=bob.pk).update(is_active=False)
    assert as_admin.post(f"/manage/people/{bob.public_id}/new-password/").status_code == 302


def test_old_forged_and_foreign_links_set_nothing(alice: Member, bob: Member) -> None:
    good = path_of(alice)
    too_old = path_of(alice, timedelta(seconds=-1))
    foreign = good.replace(f"/{alice.public_id}-", f"/{bob.public_id}-")
    longer = re.sub(r"-(\d{9,})-", lambda m: f"-{int(m[1]) + 9999}-", good)
    assert good not in (foreign, longer)
    for wrong in (
        too_old,
        foreign,
        longer,
        good[:-2] + "/",
        "/password/reset/99999999999999999999-1-x/",
        good.replace(alice.public_id, str(alice.pk)),
    ):
        assert Client().post(wrong, {"password": NEW}).status_code == 404, wrong
    Member.objects.filter(pk=alice.pk).update(is_active=False)
    assert Client().get(good).status_code == 404
    Member.objects.filter(pk=alice.pk).update(is_active=True)
    assert Client().get(good).status_code == 200
    sign_in(alice)
    assert Client().get(good).status_code == 404  # Alice has signed in since, so the link is no longer valid


def test_only_one_of_two_uses_of_a_link_at_once_sets_the_password(
    alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, as_she_was = path_of(alice), Member.objects.get(pk=alice.pk)
    assert Client().post(path, {"password": NEW}).status_code == 302
    # as if other requests had already passed this check
    monkeypatch.setattr(passwords, "member_of", lambda _: copy(as_she_was))
    assert Client().post(path, {"password": "yet another long one"}).status_code == 404
    second_click = Client()
    assert second_click.post(path, {"password": NEW}).status_code == 302
    assert is_in(second_click)
    alice.refresh_from_db()
    assert alice.check_password(NEW)


def test_expired_sessions_are_deleted(alice: Member) -> None:
    here, there = sign_in(alice), sign_in(alice)
    move_end(there, -23 / 24)
    sessions.tidy(timezone.now())
    assert Session.objects.count() == 2  # an expired session is kept for a day, to prove who sent a form
    sessions.tidy(timezone.now() + timedelta(hours=2))
    assert alice.signed_in.get().session_key == row_of(here).pk
    assert Session.objects.count() == 1


def test_the_appearance_of_the_device_is_called_so(as_alice: Client) -> None:
    assert "Same as device" in as_alice.get("/me/").text
