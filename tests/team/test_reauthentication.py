"""What admins change for others, and take out, requires a recently entered password; once it's been entered again, the
change goes ahead with everything that was typed."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from PIL import Image

from runs.models import Entry, Invite, Member, SharingRules, ThrottleHit, Verb
from runs.team.reauthentication import FIELD, WRONG
from runs.web.throttling import MAX_PER_PAIR
from tests.support.access_rows import ADMIN, ROWS
from tests.support.access_world import World
from tests.support.acts import ACTS, EXEMPT, row_of
from tests.support.clients import PASSWORD
from tests.support.invites import PEOPLE
from tests.support.sessions import grow_old, pass_time

ASKED = "Enter your password"
WITHOUT = {  # what admins can do without entering their password again, and why
    "runs:decision-undo": "it undoes only what the same person decided in the last ten minutes",
    "runs:mail-test": "it sends a fixed text to the admin's own address",
    "runs:chat-test": "it sends a fixed text to the channel that is set up",
    "runs:manage-storage": "it only counts files again",
    "runs:examples-clear": "it removes only the sandbox's examples, and offers Undo",
    "runs:examples-restore": "it restores only the sandbox's examples",
}


@pytest.fixture
def admin(as_admin: Client) -> Client:
    """An admin who signed in more than 30 minutes ago."""
    grow_old(as_admin)
    return as_admin


@pytest.fixture
def world(make_member: Callable[..., Member]) -> World:
    return World(make_member)


@pytest.mark.django_db
def test_every_post_of_admins_asks_or_says_why_not(world: World) -> None:
    """Nothing happens before the password is entered, and everything that was posted is carried along."""
    admin, posts = world.client("admin"), {row.name for row in ROWS if row.method == "post" and row.rule is ADMIN}
    asks, wrong = {}, []
    for name, act in [(name, act) for name, act in ACTS if name in posts]:
        cache.clear()
        with transaction.atomic():
            row = row_of(name, act)
            grow_old(admin, 0)
            act.before(world, admin)
            grow_old(admin)
            there, posted = Entry.objects.count(), (act.data or row.data)(world) or {}
            answer = admin.post(reverse(name, args=(act.path or row.path)(world)), posted)
            asks[name] = ASKED in answer.text
            if asks[name]:
                wrong += [f"{name} lost something"] if fields_of(answer) != fields_in(posted) else []
                wrong += [f"{name} changed something"] if Entry.objects.count() != there else []
                wrong += [f"{name} may be cached"] if "no-store" not in answer.headers["Cache-Control"] else []
            transaction.set_rollback(True)
    asks |= {name: False for name in posts - set(asks) if name in EXEMPT}  # these change nothing
    assert not wrong
    assert {name for name, is_asked in asks.items() if not is_asked} == set(WITHOUT)
    assert set(asks) == posts


def fields_of(answer: Any) -> dict[str, list[str]]:
    """Return the fields that the page which asks for the password carries along."""
    fields: dict[str, list[str]] = {}
    for name, value in answer.context["fields"]:
        fields.setdefault(name, []).append(value)
    return fields


def fields_in(posted: dict[str, Any]) -> dict[str, list[str]]:
    values = {name: value if isinstance(value, list) else [value] for name, value in posted.items()}
    return {name: [str(one) for one in some] for name, some in values.items()}


@pytest.mark.django_db
def test_looking_needs_no_password(world: World) -> None:
    admin = world.client("admin")
    grow_old(admin)
    pages = [row for row in ROWS if row.method == "get" and row.rule is ADMIN]
    assert len(pages) > 15
    for row in pages:
        assert ASKED not in admin.get(reverse(row.name, args=row.path(world)), row.data(world) or {}).text, row.name


@pytest.mark.django_db
def test_the_change_continues_with_what_was_typed_and_the_next_does_not_ask(admin: Client, alice: Member) -> None:
    typed = {"email": "", "name": ' Kim "K"\r\n<b>', "role": "admin"}
    asked = admin.post(PEOPLE, typed)
    assert asked.context["fields"] == list(typed.items())
    done = admin.post(asked.context["action"], dict(asked.context["fields"]) | {FIELD: PASSWORD})
    assert done.status_code == 302
    made = Invite.objects.get()
    assert (made.role, made.name) == ("admin", 'Kim "K" <b>')
    assert admin.post(f"{PEOPLE}{alice.public_id}/", {"role": "viewer"}).status_code == 302
    grow_old(admin)
    assert ASKED in admin.post(f"{PEOPLE}{alice.public_id}/", {"role": "maker"}).content.decode()
    alice.refresh_from_db()
    assert alice.role == "viewer"


@pytest.mark.django_db
def test_a_series_of_changes_is_asked_once_and_not_in_its_middle(admin: Client, alice: Member) -> None:
    def asks() -> bool:
        return ASKED in admin.post(f"{PEOPLE}{alice.public_id}/", {"role": "viewer"}).text

    assert asks()
    admin.post(f"{PEOPLE}{alice.public_id}/", {"role": "viewer", FIELD: PASSWORD})
    for _change in range(5):  # every 20 minutes, up to 100 minutes after the password
        pass_time(admin, 20)
        assert not asks()
    pass_time(admin, 31)  # that was the end of the series
    assert asks()


@pytest.mark.django_db
def test_a_series_ends_two_hours_after_the_password(as_admin: Client, alice: Member) -> None:
    path, asked = f"{PEOPLE}{alice.public_id}/", []
    for _change in range(6):
        asked.append(ASKED in as_admin.post(path, {"role": "viewer"}).text)
        pass_time(as_admin, 20)
    assert asked == [False] * 6
    assert ASKED in as_admin.post(path, {"role": "viewer"}).text


@pytest.mark.django_db
def test_looking_at_a_form_does_not_prolong_it(as_admin: Client, alice: Member) -> None:
    pass_time(as_admin, 25)
    as_admin.get(PEOPLE)
    pass_time(as_admin, 6)
    assert ASKED in as_admin.post(f"{PEOPLE}{alice.public_id}/", {"role": "viewer"}).text


@pytest.mark.django_db
def test_a_file_has_to_be_chosen_again(admin: Client) -> None:
    content = BytesIO()
    Image.new("RGB", (40, 30), "#7a6cd0").save(content, "PNG")
    rules = {"guests_allowed": "on", "longest_days": "30", "link_makers": "maker", "company": "Acme"}
    path = reverse("runs:manage-sharing")
    asked = admin.post(path, rules | {"logo": SimpleUploadedFile("our logo.png", content.getvalue())})
    assert re.search(r'<input id="id_file_1" type="file" name="logo" required>', asked.text)
    assert "our logo.png" in asked.text
    assert 'enctype="multipart/form-data"' in asked.text
    again = {"logo": SimpleUploadedFile("our logo.png", content.getvalue()), FIELD: PASSWORD}
    assert admin.post(path, dict(asked.context["fields"]) | again).status_code == 302
    stored = SharingRules.current()
    assert (stored.company, stored.logo is not None) == ("Acme", True)


@pytest.mark.django_db
def test_an_export_comes_once_the_password_is_entered(admin: Client) -> None:
    exported = Entry.objects.filter(verb=Verb.EXPORTED)
    for number, path in enumerate((reverse("runs:manage-log-csv"), reverse("runs:spending-sheet"))):
        grow_old(admin)
        asked = admin.post(path, {"act": "run.started"}, headers={"Referer": "http://testserver/manage/log/?q=a"})
        assert '<a href="/manage/log/?q=a">Go back' in asked.text
        wrong = admin.post(path, dict(asked.context["fields"]) | {FIELD: "wrong", "your-page": "/manage/log/?q=a"})
        assert '<a href="/manage/log/?q=a">Go back' in wrong.text
        assert exported.count() == number
        answer = admin.post(path, dict(asked.context["fields"]) | {FIELD: PASSWORD})
        assert answer.headers["Content-Type"].startswith("text/csv")
        assert exported.count() == number + 1


@pytest.mark.django_db
def test_the_way_back_leads_nowhere_else(admin: Client, alice: Member) -> None:
    for page in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        answer = admin.post(f"{PEOPLE}{alice.public_id}/", {"role": "admin", "your-page": page})
        assert '<a href="/manage/">Go back' in answer.text


@pytest.mark.django_db
def test_a_wrong_password_changes_nothing_and_guessing_is_stopped(admin: Client, alice: Member) -> None:
    path = f"{PEOPLE}{alice.public_id}/"
    for given, sentence in (("", "Enter your password."), ("wrong", WRONG)):
        answer = admin.post(path, {"role": "admin", FIELD: given})
        assert answer.status_code == 422
        assert escape(sentence) in answer.content.decode()
        assert answer.context["fields"] == [("role", "admin")]
        assert "wrong" not in answer.content.decode()
    for _ in range(MAX_PER_PAIR):
        admin.post(path, {"role": "admin", FIELD: "guess"})
    stopped = admin.post(path, {"role": "admin", FIELD: PASSWORD})
    assert "many attempts" in stopped.content.decode()
    alice.refresh_from_db()
    assert alice.role == "maker"
    ThrottleHit.objects.all().delete()
    assert admin.post(path, {"role": "admin", FIELD: PASSWORD}).status_code == 302


@pytest.mark.django_db
def test_guesses_here_and_at_sign_in_are_counted_together(admin: Client, admin_member: Member) -> None:
    for _ in range(MAX_PER_PAIR):
        admin.post(PEOPLE, {FIELD: "guess"})
    answer = Client().post("/login/", {"username": admin_member.email, "password": PASSWORD})
    assert "many attempts" in answer.content.decode()


@pytest.mark.django_db
def test_a_sign_in_and_a_new_password_count_as_given(admin: Client, admin_member: Member, alice: Member) -> None:
    path = f"{PEOPLE}{alice.public_id}/"
    fresh = Client()
    fresh.post("/login/", {"username": admin_member.email, "password": PASSWORD})
    assert fresh.post(path, {"role": "viewer"}).status_code == 302
    grow_old(fresh)
    fresh.post("/password/change/", {"old_password": PASSWORD, "password": "another long password"})
    assert fresh.post(path, {"role": "maker"}).status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize(("seconds", "asks"), [(1700, False), (1810, True), (-30, False), (-3600, True)])
def test_it_is_thirty_minutes_and_a_wrong_clock_gives_no_more(
    as_admin: Client, alice: Member, seconds: int, asks: bool
) -> None:
    grow_old(as_admin, seconds)
    answer = as_admin.post(f"{PEOPLE}{alice.public_id}/", {"role": "viewer"})
    assert (ASKED in answer.content.decode()) is asks


@pytest.mark.django_db
def test_someone_who_may_not_do_it_is_not_asked(as_alice: Client, bob: Member) -> None:
    grow_old(as_alice)
    assert as_alice.post(f"{PEOPLE}{bob.public_id}/", {"role": "admin"}).status_code == 404


@pytest.mark.django_db
def test_an_expired_sign_in_on_the_way_keeps_what_was_typed_but_no_password(admin: Client) -> None:
    admin.session.flush()
    answer = Client().post(PEOPLE, {"name": "Kim", "role": "admin", FIELD: PASSWORD})
    assert answer.context["is_expired"]
    signed_in = Client().post(
        "/login/", {"username": "ada@example.com", "password": PASSWORD, "replay": answer.context["replay"]}
    )
    assert signed_in.context["fields"] == [("name", "Kim"), ("role", "admin")]


@pytest.mark.django_db
def test_htmx_shows_it_as_a_whole_page_whatever_the_target(admin: Client, alice: Member) -> None:
    answer = admin.post(f"{PEOPLE}{alice.public_id}/", {"role": "viewer"}, headers={"HX-Request": "true"})
    assert answer.headers["HX-Retarget"] == "body"
    assert answer.headers["HX-Reswap"].startswith("innerHTML")
    assert ASKED in answer.content.decode()
