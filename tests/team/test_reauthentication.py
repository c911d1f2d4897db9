"""Managing people requires a recently entered password; once it's been entered again, the change goes ahead with
everything that was typed."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.html import escape

from runs.models import Invite, Member, MemberLimit, ThrottleHit
from runs.team.reauthentication import FIELD, WRONG
from runs.web.throttling import MAX_PER_PAIR
from tests.support.clients import PASSWORD
from tests.support.factories import make_run
from tests.support.invites import PEOPLE, invite
from tests.support.sessions import grow_old

ASKED = "Enter your password"
NAMES_SOMEONE = {"member_id", "person_id", "invite_id"}


@pytest.fixture
def admin(as_admin: Client) -> Client:
    """An admin who signed in more than 30 minutes ago."""
    grow_old(as_admin)
    return as_admin


def urls_of_people(prefix: str = "", resolver: URLResolver | None = None) -> Iterator[tuple[str, URLPattern]]:
    """Yield the route and pattern of each admin URL for managing people. These have `people/` in the route, or a
    parameter that names a person."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from urls_of_people(route, pattern)
        elif route.startswith("manage/") and ("people/" in route or NAMES_SOMEONE & pattern.pattern.converters.keys()):
            yield route, pattern


@pytest.mark.django_db
def test_every_change_of_people_asks_before_anything_happens(admin: Client, alice: Member, bob: Member) -> None:
    make_run(bob)
    Member.objects.filter(pk=bob.pk).update(is_active=False)
    grow_old(admin, 0)
    made = invite(admin, name="Kim", role="maker")
    grow_old(admin)
    given = {
        "manage-people": {"email": "lee@acme.example", "name": "Lee", "role": "admin"},
        "manage-person": {"role": "admin"},
        "person-transfer": {"to": alice.public_id},
        "manage-limit": {"sort": "none"},
    }
    ids = {"member_id": alice.public_id, "person_id": alice.public_id, "invite_id": made.public_id}
    of_bob = ("person-reactivate", "person-transfer")
    before = list(Member.objects.order_by("pk").values()), list(Invite.objects.values())
    urls = list(urls_of_people())
    assert len(urls) >= 10
    for route, pattern in urls:
        name, fields = str(pattern.name), given.get(str(pattern.name), {})
        ids["member_id"] = (bob if name in of_bob else alice).public_id
        path = reverse(f"runs:{name}", kwargs={key: ids[key] for key in pattern.pattern.converters})
        answer = admin.post(path, fields)
        if answer.status_code == 405:  # this URL only displays something
            continue
        assert (answer.status_code, ASKED in answer.content.decode()) == (200, True), route
        assert answer.context["fields"] == list(fields.items())
        assert "no-store" in answer.headers["Cache-Control"]
        assert "/password/reset/" not in answer.content.decode()
    assert (list(Member.objects.order_by("pk").values()), list(Invite.objects.values())) == before
    assert alice.runs.count() == 0
    assert not MemberLimit.objects.exists()
    for path in (PEOPLE, f"{PEOPLE}{alice.public_id}/", f"{PEOPLE}{alice.public_id}/deactivate/"):
        assert ASKED not in admin.get(path).content.decode()  # viewing requires no password


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
