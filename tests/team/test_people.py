"""People: invited by email or link, given roles, deactivated and reactivated, and what happens to their work."""

import re
import socket
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runs import tasks
from runs.models import Entry, GuestLink, Invite, Member, Preset, Run, Upload
from runs.models.run import RunInputUpload
from runs.review import requests
from runs.team import invites, members, sessions, transfers
from runs.team.views_sign_in import WRONG
from runs.web import secret_links
from runs.web.secret_links import Purpose
from tests.support.clients import PASSWORD, client_of
from tests.support.factories import make_run, make_stored
from tests.support.html import flat
from tests.support.invites import PEOPLE, invite, path_of, text_of
from tests.support.page import Page

pytestmark = pytest.mark.django_db


def refusal(admin: Client, email: str) -> str:
    answer = admin.post(PEOPLE, {"email": email, "name": "", "role": "maker"})
    assert answer.status_code == 422
    return answer.content.decode()


def test_people_are_sorted_by_name_in_every_alphabet(as_admin: Client) -> None:
    for name in ("Zoe", "Özlem", "anna", "Émile"):
        Member.objects.create_user(f"{len(name)}{name[-1]}@acme.example", PASSWORD, name=name)
    shown = re.findall(r"Zoe|Özlem|anna|Émile", as_admin.get(PEOPLE).text)
    assert list(dict.fromkeys(shown)) == ["anna", "Émile", "Özlem", "Zoe"]
    assert [one.name for one in requests.deciders() if one.name in shown] == []  # makers don't decide
    Member.objects.filter(name__in=shown).update(role=Member.Role.APPROVER)
    assert [one.name for one in requests.deciders() if one.name in shown] == ["anna", "Émile", "Özlem", "Zoe"]


# --- Inviting


def test_an_invite_is_emailed_and_its_link_is_on_the_page(
    as_admin: Client, settings: Settings, mailoutbox: list[EmailMessage]
) -> None:
    settings.PORTAL_URL = "https://portal.example.com"
    made = invite(as_admin, email=" Kim@Acme.Example ", name="Kim", role="approver")
    assert (made.email, made.role) == ("kim@acme.example", "approver")
    assert timedelta(days=6) < made.expires_at - timezone.now() < timedelta(days=8)
    (mail,) = mailoutbox
    address = f"https://portal.example.com{path_of(made)}"
    assert mail.to == ["kim@acme.example"]
    assert address in mail.body
    page = text_of(as_admin, f"{PEOPLE}?invite={made.public_id}")
    assert address in page
    assert "on its way to kim@acme.example" in page


def test_without_a_mail_server_the_link_is_enough(
    as_admin: Client, settings: Settings, mailoutbox: list[EmailMessage]
) -> None:
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}
    made = invite(as_admin, email="kim@acme.example")
    page = text_of(as_admin, f"{PEOPLE}?invite={made.public_id}")
    assert "No email server is set up" in page
    assert "Leave empty to get just a link" not in page
    assert "icon-starting" not in as_admin.get(PEOPLE).text  # no email was sent
    assert path_of(made) in page
    assert not mailoutbox


def test_a_mail_server_that_is_down_breaks_nothing(as_admin: Client, settings: Settings) -> None:
    with socket.socket() as taken:  # the port is bound, but nothing listens on it
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        smtp = {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": port},
        }
        settings.MAILERS = {"default": smtp}
        made = invite(as_admin, email="kim@acme.example")
    page = text_of(as_admin, f"{PEOPLE}?invite={made.public_id}")
    assert "Copy the link and send it yourself." in page
    assert path_of(made) in page


def test_someone_who_is_already_here_or_invited_is_named(as_admin: Client, alice: Member, bob: Member) -> None:
    assert "Alice (alice@example.com) is already a member" in refusal(as_admin, "ALICE@example.com")
    members.deactivate(bob)
    assert "is a deactivated member. Reactivate them" in refusal(as_admin, "bob@example.com")
    invite(as_admin, email="kim@acme.example")
    assert "kim@acme.example already has an invite" in refusal(as_admin, "Kim@ACME.example")
    assert Invite.objects.count() == 1


def test_a_double_click_makes_one_link(as_admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invites, "DOUBLE_CLICK", timedelta(hours=1))
    first = invite(as_admin, name="Kim")
    assert invite(as_admin, name="Kim").pk == first.pk
    invite(as_admin, name="Kim", role="viewer")
    assert Invite.objects.count() == 2
    Invite.objects.update(created_at=timezone.now() - invites.DOUBLE_CLICK)
    invite(as_admin, name="Kim")
    assert Invite.objects.count() == 3


def test_a_refused_form_keeps_what_was_typed(as_admin: Client) -> None:
    answer = as_admin.post(PEOPLE, {"email": "no address", "name": "Kim", "role": "nothing"})
    page = answer.content.decode()
    assert answer.status_code == 422
    for words in ('value="no address"', 'value="Kim"', 'href="#id_email"', 'aria-invalid="true"'):
        assert words in page


def test_an_open_invite_is_sent_again_or_revoked(as_admin: Client, mailoutbox: list[EmailMessage]) -> None:
    made = invite(as_admin, email="kim@acme.example")
    path = path_of(made)
    Invite.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert "Expired" in text_of(as_admin, PEOPLE)
    as_admin.post(f"{PEOPLE}invites/{made.public_id}/send/")
    assert len(mailoutbox) == 2
    assert path in mailoutbox[1].body  # the first link still works
    assert Client().get(path).status_code == 200
    as_admin.post(f"{PEOPLE}invites/{made.public_id}/revoke/")
    answer = Client().get(path)
    assert answer.status_code == 410
    assert "was revoked" in answer.content.decode()
    assert as_admin.post(f"{PEOPLE}invites/{made.public_id}/send/").status_code == 404


# --- Roles


def test_a_role_is_changed(as_admin: Client, alice: Member) -> None:
    as_admin.post(f"{PEOPLE}{alice.public_id}/", {"role": "approver"})
    alice.refresh_from_db()
    assert alice.role == "approver"
    assert "Alice is now an approver." in text_of(as_admin, f"{PEOPLE}{alice.public_id}/")


def test_the_last_admin_stays(as_admin: Client, admin_member: Member, make_member: Callable[..., Member]) -> None:
    make_member("old", role="admin", is_active=False)
    words = "Ada is the only admin. Make someone else an admin first."
    for answer in (
        as_admin.post(f"{PEOPLE}{admin_member.public_id}/", {"role": "viewer"}),
        as_admin.post(f"{PEOPLE}{admin_member.public_id}/deactivate/"),
    ):
        assert answer.status_code == 422
        assert words in answer.content.decode()
    admin_member.refresh_from_db()
    assert admin_member.is_admin
    assert admin_member.is_active


def test_one_of_two_admins_may_step_down_and_loses_open_invites(
    as_admin: Client, admin_member: Member, make_member: Callable[..., Member]
) -> None:
    make_member("second", role="admin")
    made = invite(as_admin, role="admin")
    answer = as_admin.post(f"{PEOPLE}{admin_member.public_id}/", {"role": "maker"})
    assert answer.headers["Location"] == "/"
    assert as_admin.get(PEOPLE).status_code == 404
    assert Client().get(path_of(made)).status_code == 410


# --- Leaving and coming back


def test_a_deactivated_person_is_signed_out_at_once(as_admin: Client, alice: Member, bob: Member) -> None:
    make_run(alice, status="completed")
    elsewhere = client_of(alice)
    assert elsewhere.get("/").status_code == 200
    assert "Everything they own is kept: 1 run." in text_of(as_admin, f"{PEOPLE}{alice.public_id}/deactivate/")
    as_admin.post(f"{PEOPLE}{alice.public_id}/deactivate/")
    assert elsewhere.get("/").status_code == 302
    alice.refresh_from_db()
    assert not alice.is_active
    assert alice.deactivated_at is not None
    assert not alice.signed_in.exists()
    assert Run.objects.filter(member=alice).count() == 1
    wrong = Client().post("/login/", {"username": alice.email, "password": PASSWORD})
    assert WRONG in wrong.content.decode()
    as_admin.post(f"{PEOPLE}{alice.public_id}/reactivate/")
    back = Client().post("/login/", {"username": alice.email, "password": PASSWORD})
    assert back.headers["Location"] == "/"


@pytest.mark.parametrize("end", ["sign-out", "deactivate", "expire"])
def test_last_seen_outlives_the_session(
    as_admin: Client, alice: Member, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    there = client_of(alice)
    Member.objects.filter(pk=alice.pk).update(last_login=timezone.now() - timedelta(days=3))
    monkeypatch.setattr(sessions, "_noted", {})
    there.get("/history/")
    seen = _last_seen(as_admin, alice)

    if end == "sign-out":
        there.post("/logout/")
    elif end == "deactivate":
        as_admin.post(f"{PEOPLE}{alice.public_id}/deactivate/")
    else:
        Session.objects.all().update(expire_date=timezone.now() - timedelta(days=90))
        sessions.tidy(timezone.now())
        as_admin = client_of(Member.objects.get(role="admin"))

    assert not alice.signed_in.exists()
    assert _last_seen(as_admin, alice) == seen


def _last_seen(client: Client, member: Member) -> str:
    words = Page(client.get(f"{PEOPLE}{member.public_id}/").text).words
    return words.partition("last seen ")[2].partition("(")[0]


def make_link(member: Member) -> GuestLink:
    link = secret_links.new_link(Purpose.GUEST)
    return GuestLink.objects.create(
        nonce=link.nonce,
        token_hash=link.token_hash,
        member=member,
        expires_at=timezone.now() + timedelta(days=7),
    )


def test_open_guest_links_are_counted_and_keep_working(as_admin: Client, alice: Member) -> None:
    link = make_link(alice)
    assert "Their 1 open guest link keeps working" in text_of(as_admin, f"{PEOPLE}{alice.public_id}/deactivate/")
    as_admin.post(f"{PEOPLE}{alice.public_id}/deactivate/")
    assert GuestLink.objects.alive().get() == link
    page = as_admin.get(f"{PEOPLE}{alice.public_id}/").content.decode()
    assert "1 guest link stays open" in re.sub(r"\s+", " ", page)
    assert '<a href="/manage/sharing/">See all links</a>' in flat(page)


def test_everything_is_transferred_to_the_new_owner(as_admin: Client, alice: Member, bob: Member) -> None:
    run = make_run(alice, status="completed")
    gone = make_run(alice, status="completed", deleted_at=timezone.now())
    file = make_stored()
    used, _ = (Upload.objects.create(member=alice, file=file, status="ready", name=n) for n in ("used", "unused"))
    RunInputUpload.objects.create(input=run.inputs.get(), upload=used, position=0)
    Preset.objects.create(app=run.app, member=bob, name="Summer")
    Preset.objects.create(app=run.app, member=alice, name="Summer")
    link = make_link(alice)
    page = f"{PEOPLE}{alice.public_id}/hand-over/"

    assert (
        "Alice is still active. Deactivate them first." in as_admin.post(page, {"to": bob.public_id}).content.decode()
    )
    as_admin.post(f"{PEOPLE}{alice.public_id}/deactivate/")
    assert "2 runs, 1 preset and 1 guest link" in text_of(as_admin, page)
    assert client_of(bob).get(run.get_absolute_url()).status_code == 404
    assert as_admin.post(page, {"to": bob.public_id}).status_code == 302

    assert set(Run.objects.filter(member=bob)) == {run, gone}
    assert set(Run.objects.filter(made_by=alice)) == {run, gone}
    assert client_of(bob).get(run.get_absolute_url()).status_code == 200
    assert set(Upload.objects.filter(member=bob)) == {used}
    assert set(bob.presets.values_list("name", flat=True)) == {"Summer", "Summer (Alice)"}
    link.refresh_from_db()
    assert link.member == bob
    assert "They don't own anything." in text_of(as_admin, f"{PEOPLE}{alice.public_id}/")


def test_many_runs_are_transferred_in_slices_each_recorded_as_the_admins_act(
    as_admin: Client, admin_member: Member, alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "SLICE", 2)
    for _ in range(5):
        make_run(alice, status="completed")
    members.deactivate(alice)

    page = as_admin.post(f"{PEOPLE}{alice.public_id}/hand-over/", {"to": bob.public_id}, follow=True)
    assert "Moving all the runs may take a few minutes." in page.text
    assert Run.objects.filter(member=bob).count() == 2  # the request itself moves only these two runs
    queued: list[str] = []
    monkeypatch.setattr("runs.background.due_work.enqueue_long", lambda task, **_options: queued.append(task))
    tasks.sweep()  # the sweep queues the task again, even if it was lost
    for _ in range(2):
        tasks.transfer_runs()
        tasks.sweep()

    assert queued == ["transfer_runs"]
    assert set(Run.objects.values_list("member", "made_by")) == {(bob.pk, alice.pk)}
    asked = Entry.objects.get(verb="person.transferred")
    assert asked.changes["runs"] == [5, 0]
    told = Entry.objects.filter(verb="run.transferred")
    assert told.count() == 5
    by = {(e.actor_id, e.actor_name, e.way, e.request_id) for e in [asked, *told]}
    assert by == {(admin_member.pk, admin_member.display_name, "page", asked.request_id)}


def test_who_comes_back_keeps_the_runs_that_were_not_transferred_yet(
    alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "SLICE", 1)
    for _ in range(2):
        make_run(alice, status="completed")
    members.deactivate(alice)
    assert transfers.transfer(alice, bob)
    members.reactivate(alice)
    tasks.transfer_runs()
    assert sorted(Run.objects.values_list("member", flat=True)) == sorted([alice.pk, bob.pk])


def test_the_new_owner_must_be_allowed_to_run(
    as_admin: Client, alice: Member, make_member: Callable[..., Member]
) -> None:
    viewer = make_member("vera", role="viewer")
    gone = make_member("gone", is_active=False)
    make_run(alice, status="completed")
    members.deactivate(alice)
    for wrong in (viewer, gone, alice):
        assert as_admin.post(f"{PEOPLE}{alice.public_id}/hand-over/", {"to": wrong.public_id}).status_code == 422
    assert Run.objects.get().member == alice


# --- What the list shows


def test_the_list_tells_role_state_runs_and_last_seen(as_admin: Client, alice: Member, bob: Member) -> None:
    make_run(alice, status="completed")
    make_run(alice, status="completed", deleted_at=timezone.now())
    client_of(alice)
    members.deactivate(bob)
    page = flat(text_of(as_admin, PEOPLE))
    row = page[page.index(f"{PEOPLE}{alice.public_id}/") :]
    row = row[: row.index("</li>")]
    for words in ("alice@example.com", "Maker", "Active", "1 run<", "just now"):
        assert words in row
    assert "Deactivated" in page
    assert "not seen yet" in page


def test_the_list_costs_the_same_for_many(
    as_admin: Client, make_member: Callable[..., Member], django_assert_max_num_queries: Callable[..., object]
) -> None:
    for n in range(15):
        make_run(make_member(f"p{n}"), status="completed")
    with django_assert_max_num_queries(12):  # type: ignore[attr-defined]
        as_admin.get(PEOPLE)
