"""Joining: what an invite's page does, and what it says when the invite no longer works."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from runs.models import Invite, Member, ThrottleHit
from runs.team import invites
from runs.team.members import RefusedError
from tests.support.clients import PASSWORD
from tests.support.html import flat
from tests.support.invites import invite, join, path_of, said, text_of

pytestmark = pytest.mark.django_db


def test_an_invite_by_email_lets_in_the_person_it_names(as_admin: Client) -> None:
    made = invite(as_admin, email="kim@acme.example", name="Kim L", role="viewer")
    page = text_of(Client(), path_of(made))
    assert 'value="Kim L"' in page
    assert 'name="email"' not in page
    kim = join(path_of(made), email="other@acme.example")
    member = Member.objects.get(email="kim@acme.example")
    assert (member.name, member.role, member.check_password(PASSWORD)) == ("Kim", "viewer", True)
    assert "Welcome, Kim." in text_of(kim, "/")
    assert not Member.objects.filter(email="other@acme.example").exists()


def test_an_invite_without_an_address_asks_for_one(as_admin: Client) -> None:
    made = invite(as_admin)
    assert 'id="id_email_error"' in said(join(path_of(made), email=""))
    join(path_of(made), email="KIM@Acme.example")
    assert Member.objects.get(email="kim@acme.example").role == "maker"


def test_an_invite_works_once(as_admin: Client) -> None:
    path = path_of(invite(as_admin))
    join(path)
    again = join(path, email="second@acme.example")
    assert "This invite has been used" in said(again)
    assert not Member.objects.filter(email="second@acme.example").exists()


def test_a_taken_address_and_a_weak_password_are_refused(as_admin: Client, alice: Member) -> None:
    path = path_of(invite(as_admin))
    assert invites.ADDRESS_IN_USE in said(join(path, email="Alice@Example.com"))
    for weak in ("short", "password1", "kim@acme.example", "Kimberley1"):
        refused = join(path, name="Kimberley", password=weak)
        assert 'id="id_password_error"' in said(refused), weak
        assert weak == "kim@acme.example" or f'value="{weak}"' not in said(refused)
    assert Invite.objects.get().accepted_at is None


def test_probing_for_accounts_with_an_invite_is_slowed_down(as_admin: Client, alice: Member, bob: Member) -> None:
    path = path_of(invite(as_admin))
    for member in (alice, bob, alice, bob, alice):
        assert invites.ADDRESS_IN_USE in said(join(path, email=member.email))
    for email in (bob.email, "kim@acme.example"):
        assert "many attempts" in said(join(path, email=email))
    ThrottleHit.objects.update(at=timezone.now() - timedelta(minutes=11))
    join(path)
    assert Member.objects.filter(email="kim@acme.example").exists()


def test_expired_used_and_unknown_links_each_have_their_page(as_admin: Client, admin_member: Member) -> None:
    path = path_of(invite(as_admin))
    Invite.objects.update(expires_at=timezone.now())
    answer = Client().get(path)
    assert answer.status_code == 410
    assert "has expired" in answer.content.decode()
    assert f"mailto:{admin_member.email}" in answer.content.decode()
    unknown = Client().get("/invite/nonsense/")
    assert unknown.status_code == 404
    assert admin_member.email not in unknown.content.decode()


def test_guessing_links_is_slowed_down(as_admin: Client) -> None:
    path = path_of(invite(as_admin))
    for n in range(50):
        assert Client().get(f"/invite/guess-{n}/").status_code == 404
    stopped = Client().get("/invite/guess/")
    assert stopped.status_code == 429
    assert 'href="/invite/guess/">Try again' in flat(stopped.content)
    assert Client().get(path, REMOTE_ADDR="192.0.2.77").status_code == 200


def test_a_signed_in_person_does_not_use_up_an_invite(as_admin: Client) -> None:
    path = path_of(invite(as_admin))
    assert "already signed in" in text_of(as_admin, path)
    as_admin.post(path, {"name": "X", "email": "x@example.com", "password": PASSWORD})
    assert Invite.objects.get().accepted_at is None
    left = as_admin.post("/logout/", {"next": path})
    assert left.headers["Location"] == path


def test_only_one_of_two_people_who_accept_at_once_gets_in(as_admin: Client) -> None:
    invite(as_admin)
    first, second = Invite.objects.get(), Invite.objects.get()
    invites.accept(first, email="one@acme.example", name="One", password=PASSWORD)
    with pytest.raises(RefusedError, match="just been used"):
        invites.accept(second, email="two@acme.example", name="Two", password=PASSWORD)
    assert not Member.objects.filter(email="two@acme.example").exists()
