"""Newcomers find the next step where they look for it: beside each result, and in the admin's own menu."""

import pytest
from django.test import Client

from runs.models import Member, Run
from tests.support.clients import client_of
from tests.support.factories import make_app, make_kept, make_run
from tests.support.page import Page

pytestmark = pytest.mark.django_db


def test_a_result_can_be_used_in_another_app_from_the_runs_page(as_alice: Client, alice: Member, bob: Member) -> None:
    run = make_run(alice, status="completed")
    kept = make_kept(run)
    use = f'href="/results/{kept.output.public_id}/use/"'
    page = as_alice.get(run.get_absolute_url()).text
    assert page.count("Use in…") == 1  # only one of the results has a file
    assert use in page
    run.shared_at = run.created_at
    run.save()
    assert use in client_of(bob).get(run.get_absolute_url()).text
    Member.objects.filter(pk=bob.pk).update(role=Member.Role.VIEWER)
    assert use not in client_of(bob).get(run.get_absolute_url()).text


def test_the_only_result_can_be_used_from_the_top_of_the_page(as_alice: Client, alice: Member) -> None:
    """Below a tall picture, the result's own link is out of view."""
    run = make_run(alice, make_app(outputs=[{"id": "o", "label": "Front", "type": "image"}]), status="completed")
    kept = make_kept(run)
    link = Page(as_alice.get(run.get_absolute_url()).text).first(id="run-use")
    assert link.attributes["href"] == f"/results/{kept.output.public_id}/use/"
    assert link.words == "Use in another app"


def test_a_run_made_from_another_offers_to_compare_them_first(as_alice: Client, alice: Member, bob: Member) -> None:
    old, new = (make_run(alice, make_app(), status="completed") for _ in range(2))
    before, after = make_kept(old).output, make_kept(new).output
    Run.objects.filter(pk=new.pk).update(parent=old, shared_at="2026-01-01T00:00Z")

    def first_action(client: Client) -> tuple[str, str]:
        link = Page(client.get(new.get_absolute_url()).text).first(css="run-actions").first("a", css="primary")
        return link.words, link.attributes["href"]

    url = f"/compare/?f={before.public_id},{after.public_id}"
    assert first_action(as_alice) == ("Compare with before", url)
    assert as_alice.get(url).status_code == 200
    change = ("Change and run again", f"{new.app.get_absolute_url()}?from={new.public_id}")
    assert first_action(client_of(bob)) == change  # the old run is private
    old.outputs.update(label="Renamed")
    assert first_action(as_alice) == change


def test_an_admin_invites_from_their_menu(as_alice: Client, as_admin: Client) -> None:
    invite = 'href="/manage/people/#invite"'
    assert invite in as_admin.get("/history/").text
    assert invite not in as_alice.get("/history/").text
