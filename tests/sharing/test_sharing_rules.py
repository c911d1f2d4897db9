"""The sharing rules that admins set: who may make links, and how long they last."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from runs.engine import create_run
from runs.models import GuestLink, Member, Run, SharingRules
from runs.sharing import links, visibility
from runs.sharing.rules import change_rules
from tests.support.damaged_files import whole
from tests.support.factories import make_app, make_kept, make_run
from tests.support.guest_links import path_of
from tests.support.html import flat
from tests.support.page import Page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_noon")]


@pytest.fixture
def link(alice: Member) -> GuestLink:
    run = make_run(alice, status="completed")
    make_kept(run)
    return links.make_link(alice, links.outputs_for(alice, run.outputs.values_list("public_id", flat=True)))


def rules(**changes: str) -> dict[str, str]:
    return {"guests_allowed": "on", "link_makers": "maker", "longest_days": "90"} | changes


def test_admins_set_the_rules_in_the_one_row(as_admin: Client) -> None:
    for days in ("30", "60"):
        as_admin.post("/manage/sharing/", rules(longest_days=days, team_by_default="on", link_makers="approver"))
    kept = SharingRules.objects.get()
    assert (kept.longest_days, kept.team_by_default, kept.link_makers) == (60, True, "approver")


def test_guests_and_whoever_signs_in_see_the_name_of_the_company(as_admin: Client, link: GuestLink) -> None:
    assert "guest-company" not in Client().get(path_of(link)).text
    assert "guest-company" not in Client().get("/login/").text
    as_admin.post("/manage/sharing/", rules(company="  Oak <&> Sons "))
    for url in (path_of(link), f"{path_of(link)}decide/", "/login/"):
        page = Client().get(url, follow=True).text
        assert '<header class="guest-company" dir="auto">Oak &lt;&amp;&gt; Sons</header>' in page
    assert "Oak" not in Client().get("/s/unknown/").text


@pytest.mark.parametrize("days", ["", "0", "731", "-3", "ten", "\u0661"])
def test_an_invalid_number_of_days_is_an_error(as_admin: Client, days: str) -> None:
    answer = as_admin.post("/manage/sharing/", rules(longest_days=days))
    assert answer.status_code == 422
    assert "Enter a number of days from 1 to 730." in answer.content.decode()
    assert not SharingRules.objects.exists()


def test_a_lower_maximum_shortens_existing_links(as_admin: Client, link: GuestLink) -> None:
    page = as_admin.post("/manage/sharing/", rules(longest_days="5"), follow=True).content.decode()
    assert "1 link now expires earlier." in page
    link.refresh_from_db()
    assert (links.last_day_of(link) - timezone.localdate()).days == 5


def test_a_restored_link_lasts_no_longer_than_is_allowed_now(as_admin: Client, link: GuestLink) -> None:
    as_admin.post(f"/shares/{link.public_id}/revoke/")
    as_admin.post("/manage/sharing/", rules(longest_days="5"))
    as_admin.post(f"/shares/{link.public_id}/restore/")
    link.refresh_from_db()
    assert link.revoked_at is None
    assert (links.last_day_of(link) - timezone.localdate()).days == 5


# --- New runs ---------------------------------------------------------------------------------------------------------
def pressed(member: Member, parent: Run | None = None) -> Run:
    app = parent.app if parent else make_app(parameters=[])
    assert app.schema is not None
    token = create_run.new_form_token(member)
    return create_run.launch_run(member, create_run.LaunchRequest(app, app.schema, [], [], token, parent=parent))


def test_new_runs_are_shared_with_the_team_if_admins_say_so(alice: Member) -> None:
    assert pressed(alice).shared_at is None
    SharingRules.objects.create(team_by_default=True)
    assert pressed(alice).shared_at is not None


def test_a_run_begun_from_a_private_one_stays_private_whatever_the_rules(alice: Member, admin_member: Member) -> None:
    private = make_run(alice, make_app(parameters=[]), status="completed")
    SharingRules.objects.create(team_by_default=True)
    assert pressed(alice, parent=private).shared_at is None
    assert pressed(admin_member, parent=private).shared_at is None
    visibility.share_with_team(private)
    private.refresh_from_db()
    assert pressed(alice, parent=private).shared_at is not None


def test_beside_run_it_says_who_will_see_it(as_alice: Client, alice: Member) -> None:
    run = make_run(alice, status="completed")
    form, again = run.app.get_absolute_url(), f"/runs/{run.public_id}/again/"

    def said(url: str) -> list[str]:
        page = flat(as_alice.get(url).content)
        return [
            words
            for words in ("the team will see the new run", "only you and admins will see the new run")
            if words in page
        ]

    assert [said(form), said(again)] == [[], []]
    change_rules(SharingRules(team_by_default=True))
    assert said(form) == ["the team will see the new run"]
    assert said(f"{form}?from={run.public_id}") == said(again) == ["only you and admins will see the new run"]
    visibility.share_with_team(run)
    assert said(f"{form}?from={run.public_id}") == said(again) == ["the team will see the new run"]


def test_a_form_keeps_its_word_when_the_run_it_began_from_is_gone(as_alice: Client, alice: Member) -> None:
    app = make_app(parameters=[], outputs=[])
    run = make_run(alice, app, status="completed")
    SharingRules.objects.create(team_by_default=True)
    page = flat(as_alice.get(f"{app.get_absolute_url()}?from={run.public_id}").content)
    assert "only you and admins will see the new run" in page
    posted = dict(re.findall(r'<input type="hidden" name="(token|schema|from|private)" value="([^"]*)"', page))
    Run.objects.filter(pk=run.pk).update(deleted_at=timezone.now())

    as_alice.post(app.get_absolute_url(), posted)

    assert Run.objects.exclude(pk=run.pk).get().shared_at is None


def test_a_second_admin_sees_what_the_first_has_saved(as_admin: Client, as_bob: Client, bob: Member) -> None:
    Member.objects.filter(pk=bob.pk).update(role="admin")
    seen = Page(as_bob.get("/manage/sharing/").text).first("input", id="id_seen").attributes["value"]
    as_admin.post("/manage/sharing/", rules(company="Oak", link_makers="approver"))

    logo = SimpleUploadedFile("oak.png", whole("png"))
    late = as_bob.post("/manage/sharing/", rules(longest_days="30", seen=seen) | {"logo": logo})

    assert late.status_code == 422
    assert "Ada has saved different values since you opened this page" in late.text
    stored = "Maximum number of days a link can last: 90; Who can create links: Approvers and admins; Company name: Oak"
    assert f"Currently saved: {stored}" in late.text
    assert SharingRules.objects.get().company == "Oak"
    page = Page(late.text)
    assert page.first("input", id="longest-days").attributes["value"] == "30"  # nothing typed is lost
    again = page.first("input", id="id_seen").attributes["value"]
    as_bob.post("/manage/sharing/", rules(longest_days="30", company="", seen=again))
    assert (SharingRules.objects.get().longest_days, SharingRules.objects.get().company) == (30, "")
