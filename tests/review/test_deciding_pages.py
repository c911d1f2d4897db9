"""Deciding on pages (D1 to D5): what pages offer to whom, and what responses show."""

import csv
import io
import re
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from runs.display.verdicts import verdicts_of
from runs.models import Decision, Member, Notice, Output, OutputFile, ReviewRules, Run
from runs.review import requests
from runs.review.deciders import Reviewer
from runs.review.verdicts import decide
from tests.support import guest_links
from tests.support.clients import HTMX, client_of
from tests.support.factories import make_kept, make_run, make_stored
from tests.support.page import Page
from tests.support.queue_page import deciding_link

pytestmark = pytest.mark.django_db
BUTTONS = ('value="approved"', 'value="changes"', 'value="rejected"')


def page_of(client: Client, url: str, **headers: str) -> str:
    answer = client.get(url, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def press(client: Client, output: Output, verdict: str, note: str = "", *, seen: int | str = 0, **more: Any) -> Any:
    data = {"verdict": verdict, "note": note, "seen": seen, **more.pop("data", {})}
    return client.post(f"{output.get_absolute_url()}decide/", data, **more)


def test_result_run_and_compare_offer_the_buttons_to_those_who_may_decide(
    run: Run, as_sam: Client, as_bob: Client
) -> None:
    front, back = run.outputs.all()
    comparison = f"/compare/?f={front.public_id},{back.public_id}"
    for url in (front.get_absolute_url(), run.get_absolute_url(), comparison):
        shown = page_of(as_sam, url)
        hidden = page_of(as_bob, url)
        assert all(button in shown for button in BUTTONS), url
        assert not any(button in hidden for button in BUTTONS), url
        assert 'aria-label="Decision: Front"' in shown, url  # tells the buttons of several results apart
    assert "Not reviewed" in page_of(as_bob, front.get_absolute_url())
    assert page_of(as_sam, comparison).count("Approve this, reject the others") == 2


def test_a_decision_on_a_result_with_several_files_says_that_it_is_for_all(
    run: Run, result: Output, alice: Member, as_sam: Client
) -> None:
    """Such results are from before each file of a list was a result, or are data with files in them."""
    for position in (1, 2):
        file = make_stored((40 + position, 30))
        OutputFile.objects.create(
            output=result, position=position, source_url="https://x.test", status="saved", file=file
        )
    requests.ask(alice, [result])
    link = deciding_link(alice, result)
    result_url, run_url = result.get_absolute_url(), run.get_absolute_url()
    comparison = f"/compare/?f={result.public_id},{run.outputs.all()[1].public_id}"
    guest_url = guest_links.path_of(link)

    told = "Your decision is for all 3 files."
    for url in (result_url, run_url, comparison, "/review/", guest_url):
        page = page_of(Client() if url == guest_url else as_sam, url)
        assert page.count(told) == 1, url

    press(as_sam, result, "approved")

    told = "Approved for all 3 files"
    for url in (result_url, run_url, comparison, "/review/decided/"):
        assert told in Page(page_of(as_sam, url)).words, url
    assert "approved Front (3 files)" in Page(page_of(as_sam, run_url)).words
    archive = zipfile.ZipFile(io.BytesIO(b"".join(as_sam.get(f"/download/?f={result.public_id}").streaming_content)))  # type: ignore[attr-defined]
    rows = csv.DictReader(io.StringIO(archive.read("provenance.csv").decode("utf-8-sig")))
    assert [row["Decision"] for row in rows] == [told] * 3

    back = run.outputs.all()[1]
    press(as_sam, back, "approved")
    assert "Approved for all" not in page_of(as_sam, back.get_absolute_url())


def test_without_scripts_deciding_leads_back_and_offers_undo(run: Run, result: Output, as_sam: Client) -> None:
    answer = press(as_sam, result, "changes", "Warmer, please", data={"next": f"{run.get_absolute_url()}?in=q%3Da"})
    assert answer.headers["Location"] == f"{run.get_absolute_url()}?in=q%3Da#verdict-{result.public_id}"
    page = page_of(as_sam, run.get_absolute_url())
    undo = f"/decisions/undo/{Decision.objects.get().batch}/"
    assert page.count(undo) == 3  # in the message, and twice beside the verdict: as the form's address and for htmx
    assert "Warmer, please" in page
    answer = as_sam.post(undo, {"next": run.get_absolute_url()})
    assert answer.headers["Location"] == run.get_absolute_url()
    assert "1 decision was undone." in page_of(as_sam, run.get_absolute_url())
    assert Output.objects.get(pk=result.pk).verdict == ""


def test_the_same_decision_again_makes_no_second_notice(
    run: Run, result: Output, alice: Member, as_sam: Client
) -> None:
    """People press again if an answer is slow, from whichever page shows the result."""
    for _ in range(2):
        press(as_sam, result, "changes", "Warmer,\r\nplease ", seen=result.decided_in)
        many = {"shown": f"{result.public_id}.{result.decided_in}", "verdict": "changes", "note": "Warmer,\nplease"}
        assert as_sam.post("/review/many/", many).status_code == 303
        one = {"result": result.public_id, "seen": result.decided_in, "verdict": "changes", "note": ""}
        assert as_sam.post("/review/", one).status_code == 303

    assert [notice.kind for notice in Notice.objects.filter(member=alice)] == ["decided"]

    result.refresh_from_db()
    press(as_sam, result, "changes", "Much warmer, please", seen=result.decided_in)
    assert Notice.objects.filter(member=alice).count() == 2, "other words are news"


def test_with_scripts_the_panel_comes_back(result: Output, as_sam: Client) -> None:
    answer = press(as_sam, result, "approved", data={"look": "box"}, headers={"HX-Request": "true"})
    panel = answer.content.decode()
    assert answer.status_code == 200
    assert panel.count("data-verdict") == 1
    assert "Approved" in panel
    assert "by you" in panel
    assert "autofocus" in panel


def test_where_it_came_from_follows_with_scripts(result: Output, as_sam: Client, ruth: Member) -> None:
    decide(result, "approved", "", Reviewer(ruth), None)
    page = Page(page_of(as_sam, result.get_absolute_url())).first(id="facts-decision")
    assert page.words.startswith("Decision Approved Ruth,")
    seen = Output.objects.get(pk=result.pk).decided_in
    answer = press(as_sam, result, "changes", "Another bag", seen=str(seen), headers={"HX-Request": "true"})
    told = Page(answer.content.decode()).first(id="facts-decision")
    assert told.attributes["hx-swap-oob"] == "true"
    assert "Decision Needs changes Approved: Ruth," in told.words
    assert told.words.endswith("Another bag")
    assert "facts-decision" not in press(as_sam, result, "approved", data={"look": "box"}, headers=HTMX).text


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_refused_verdict_keeps_what_was_typed(result: Output, as_sam: Client, headers: dict[str, str]) -> None:
    answer = press(as_sam, result, "rejected", "x" * 501, headers=headers)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "The note has 501 characters" in page
    assert "x" * 501 in page
    answer = press(as_sam, result, "rejected", " ", headers=headers)
    assert "Give a reason" in answer.content.decode()
    assert Decision.objects.count() == 0


def test_a_stale_page_is_told_the_new_state(result: Output, as_sam: Client, ruth: Member) -> None:
    """Promise D1 (see `tests.review`)."""
    decide(result, "rejected", "Wrong bag", Reviewer(ruth), 0)
    answer = press(as_sam, result, "changes", "Another bag")
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "has changed since you opened the page" in page
    assert "Wrong bag" in page
    assert "Another bag" in page
    assert press(as_sam, result, "approved", seen="no number").status_code == 409
    assert press(as_sam, result, "approved", headers={"HX-Request": "true"}).status_code == 422


def test_every_act_stays_readable(result: Output, sam: Member, as_sam: Client, ruth: Member) -> None:
    """Promise D3 (see `tests.review`)."""
    decide(result, "changes", "Too dark", Reviewer(sam), None)
    decide(result, "rejected", "Wrong bag", Reviewer(ruth), None)
    as_sam.post(f"{result.get_absolute_url()}withdraw/")
    rejected = Decision.objects.get(verdict="rejected")
    as_sam.post(f"/decisions/{rejected.public_id}/set-aside/", {"note": "Ruth has left"})
    page = page_of(as_sam, result.get_absolute_url())
    for words in ("Too dark", "Wrong bag", "Withdrawn", "Set aside", "Ruth has left", "All decisions (4)"):
        assert words in page
    assert "Not reviewed" in page


def test_no_address_changes_or_deletes_a_decision(result: Output, sam: Member, admin_member: Member) -> None:
    """Promise D3 (see `tests.review`)."""
    decision = decide(result, "approved", "", Reviewer(sam), None)
    admin = client_of(admin_member)
    for path in ("", "edit/", "delete/"):
        for method in ("get", "post", "put", "delete"):
            assert getattr(admin, method)(f"/decisions/{decision.public_id}/{path}").status_code in (404, 405)


def test_four_eyes_show_no_approve_button_and_refuse_a_forged_post(result: Output, sam: Member, as_sam: Client) -> None:
    """Promise D4 (see `tests.review`)."""
    ReviewRules.objects.create(four_eyes=True)
    Run.objects.update(made_by=sam)
    page = page_of(as_sam, result.get_absolute_url())
    assert BUTTONS[0] not in page
    assert BUTTONS[1] in page
    assert "someone else has to approve it" in page
    assert press(as_sam, result, "approved").status_code == 403
    assert press(as_sam, result, "changes", "Too dark").status_code == 302
    assert as_sam.post(f"{result.get_absolute_url()}withdraw/").status_code == 302
    assert Output.objects.get(pk=result.pk).verdict == ""


def test_choosing_one_rejects_the_others_with_its_link(run: Run, as_sam: Client) -> None:
    front, back = run.outputs.all()
    comparison = f"/compare/?f={front.public_id},{back.public_id}"
    given = {"chosen": front.public_id, "on": [f"{front.public_id}:0", f"{back.public_id}:0"], "next": comparison}
    assert as_sam.post("/results/choose/", given).headers["Location"] == comparison
    page = page_of(as_sam, comparison)
    assert "You approved one result and rejected 1 other." in page
    assert "Another result was chosen" in page
    chosen = f'<a href="{front.get_absolute_url()}" dir="auto">Front</a>'
    assert chosen in page
    at_back = f"/review/?at={back.public_id}&kept=1"
    assert all(chosen in page_of(as_sam, url) for url in (back.get_absolute_url(), at_back, "/review/decided/"))
    as_sam.post("/results/choose/", given)  # pressed twice
    undone_by = re.findall(r"/decisions/undo/(\w+)/", page_of(as_sam, comparison))
    assert set(undone_by) == {Decision.objects.latest("pk").batch}
    as_sam.post("/results/choose/", {**given, "chosen": back.public_id})
    assert "has changed since you opened the page" in page_of(as_sam, comparison)
    as_sam.post(f"/decisions/undo/{Decision.objects.latest('pk').batch}/")
    assert Run.objects.get(pk=run.pk).verdicts == " none "


def test_undo_is_offered_for_ten_minutes(result: Output, sam: Member, as_sam: Client) -> None:
    decision = decide(result, "approved", "", Reviewer(sam), None)
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert "/decisions/undo/" not in page_of(as_sam, result.get_absolute_url())
        as_sam.post(f"/decisions/undo/{decision.batch}/")
        assert "It&#x27;s too late to undo this" in page_of(as_sam, "/")


def test_undo_stands_beside_ones_own_verdict(result: Output, sam: Member, as_sam: Client, ruth: Member) -> None:
    decide(result, "approved", "", Reviewer(sam), None)
    decide(result, "approved", "", Reviewer(ruth), None)
    undo = f"/decisions/undo/{Decision.objects.get(member=sam).batch}/"
    pages = result.get_absolute_url(), result.run.get_absolute_url()

    def lines_with_undo() -> list[str]:
        found = [
            form.parent for url in pages for form in Page(page_of(as_sam, url)).root.find("form", css="verdict-undo")
        ]
        assert all(undo in page_of(as_sam, url) for url in pages)
        return [line.words for line in found if line]

    assert [words.split(" ·")[0] for words in lines_with_undo()] == ["Approved by you"] * 2
    decide(result, "rejected", "Wrong bag", Reviewer(ruth), None)
    assert "Rejected by Ruth" in Page(page_of(as_sam, pages[1])).root.words
    assert [words.split(" ·")[0] for words in lines_with_undo()] == ["Approved by you"] * 2


def test_search_finds_who_decided(result: Output, as_alice: Client, as_sam: Client, sam: Member) -> None:
    Member.objects.filter(pk=sam.pk).update(name="Sámuel Okonkwo")
    assert result.run.get_absolute_url() not in page_of(as_alice, "/history/?q=okonkwo")
    press(as_sam, result, "approved")
    assert result.run.get_absolute_url() in page_of(as_alice, "/history/?q=okonkwo")


def test_approving_takes_a_note_too(result: Output, as_sam: Client) -> None:
    more = Page(page_of(as_sam, result.get_absolute_url())).root.first("details", css="is-approved")
    assert (more.first("summary").words, more.first("textarea").attributes["name"]) == ("Approve with a note", "note")
    assert "required" not in more.first("textarea").attributes
    press(as_sam, result, "approved", note="Lovely light")
    page = page_of(as_sam, result.get_absolute_url())
    assert "Lovely light" in page
    assert "Approve with a note" not in page


def test_an_older_version_links_to_the_newest(run: Run, result: Output, as_sam: Client) -> None:
    """Promise D2 (see `tests.review`)."""
    newer = run.outputs.all()[1]
    Output.objects.filter(pk=newer.pk).update(line=result, number=2)
    answer = press(as_sam, result, "approved")
    assert answer.status_code == 409
    assert f'<a href="{newer.get_absolute_url()}">version 2</a>' in answer.content.decode()
    page = page_of(as_sam, result.get_absolute_url())
    assert not any(button in page for button in BUTTONS)


def test_admins_set_the_rules(
    run: Run, admin_member: Member, make_member: Callable[..., Member], as_bob: Client, result: Output
) -> None:
    admin = client_of(admin_member)
    assert run.app.name in page_of(admin, "/manage/review/")
    given = {"deciders": "maker", "four_eyes": "on", "on": run.app.public_id, "app": run.app.public_id}
    admin.post("/manage/review/", given)
    rules = ReviewRules.objects.get()
    run.app.refresh_from_db()
    assert (rules.deciders, rules.four_eyes, rules.needs_reason, run.app.asks_review) == ("maker", True, False, True)
    assert press(as_bob, result, "rejected").status_code == 302
    admin.post("/manage/review/", {"on": run.app.public_id})
    run.app.refresh_from_db()
    assert (ReviewRules.objects.get().deciders, run.app.asks_review) == ("maker", False)


def test_a_second_admin_replaces_no_rules_or_apps_unseen(
    run: Run, admin_member: Member, make_member: Callable[..., Member]
) -> None:
    admin, ana = client_of(admin_member), client_of(make_member("ana", role="admin"))
    seen = Page(ana.get("/manage/review/").text).first("input", id="id_seen").attributes["value"]
    admin.post("/manage/review/", {"needs_reason": "on", "on": run.app.public_id, "app": run.app.public_id})

    late = ana.post("/manage/review/", {"needs_reason": "on", "on": run.app.public_id, "seen": seen})

    assert late.status_code == 422
    assert f"{admin_member.display_name} has saved different values since you opened this page" in late.text
    assert f"Apps that ask for a decision automatically: {run.app.name}" in late.text
    run.app.refresh_from_db()
    assert run.app.asks_review
    again = Page(late.text).first("input", id="id_seen").attributes["value"]
    assert ana.post("/manage/review/", {"on": run.app.public_id, "seen": again}).status_code == 302
    run.app.refresh_from_db()
    assert (run.app.asks_review, ReviewRules.objects.get().needs_reason) == (False, False)


def zip_of(answer: Any) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))


def names_in(answer: Any) -> list[str]:
    """Return the names of the files in a zip, sorted."""
    return sorted(zip_of(answer).namelist())


def test_a_zip_of_approved_results_has_the_newest_approved_versions(
    run: Run, sam: Member, as_sam: Client, alice: Member
) -> None:
    front, back = run.outputs.all()
    other = make_run(alice, run.app, status="completed", title="Second try", shared_at=timezone.now())
    newer, failed = [make_kept(other, make_stored((50, 20 + n)), n).output for n in range(2)]
    zip_url = f"/download/?r={run.public_id}&only=approved"
    answer = as_sam.get(zip_url)
    assert answer.status_code == 404
    assert "None of these results has been approved." in answer.content.decode()
    decide(front, "approved", "Lovely", Reviewer(sam), None)
    decide(back, "changes", "Too dark", Reviewer(sam), None)
    assert names_in(as_sam.get(zip_url)) == [f"cartoonify_front_{run.created_at:%Y-%m-%d}.png", "provenance.csv"]
    Output.objects.filter(pk=newer.pk).update(line=back, number=2)
    Output.objects.filter(pk=failed.pk).update(line=front, number=2, status="error")
    decide(newer, "approved", "", Reviewer(sam), None)
    names = names_in(as_sam.get(zip_url))
    assert [name for name in names if name.startswith("second")] == [
        f"second-try_front_{other.created_at:%Y-%m-%d}.png"
    ]
    assert len(names) == 3
    assert "Download approved" in page_of(as_sam, run.get_absolute_url())


def test_of_each_line_the_zip_has_one_version_though_several_are_approved(
    run: Run, result: Output, sam: Member, as_sam: Client, alice: Member
) -> None:
    decide(result, "approved", "", Reviewer(sam), None)
    second, third = [
        make_kept(make_run(alice, run.app, status="completed", title=title, shared_at=timezone.now())).output
        for title in ("Second", "Third")
    ]
    ids = "&f=".join(version.public_id for version in (result, second, third))
    zip_url = f"/download/?f={ids}&only=approved"
    for number, version in ((2, second), (3, third)):
        Output.objects.filter(pk=version.pk).update(line=result, number=number)
        version.refresh_from_db()
        decide(version, "approved", "", Reviewer(sam), None)
    assert [name.partition("_")[0] for name in names_in(as_sam.get(zip_url))] == ["provenance.csv", "third"]
    third.refresh_from_db()
    decide(third, "changes", "Darker again", Reviewer(sam), third.decided_in)
    assert [name.partition("_")[0] for name in names_in(as_sam.get(zip_url))] == ["provenance.csv", "second"]


def test_decisions_are_in_the_sheet_the_panel_and_on_cards(run: Run, sam: Member, ruth: Member, as_sam: Client) -> None:
    front, back = run.outputs.all()
    decide(front, "approved", "=1+1", Reviewer(ruth), None)
    decide(front, "changes", "Too dark", Reviewer(sam), None)
    decide(back, "approved", "", Reviewer(sam), None)
    packed = zip_of(as_sam.get(f"/download/?r={run.public_id}"))
    rows = list(csv.DictReader(io.StringIO(packed.read("provenance.csv").decode("utf-8-sig"))))
    assert [(row["Decision"], row["Decided by"]) for row in rows] == [
        ("Needs changes", "Ruth: Approved, Samuel: Needs changes"),
        ("Approved", "Samuel: Approved"),
    ]
    assert rows[0]["Notes"] == "Ruth: =1+1\nSamuel: Too dark"
    page = page_of(as_sam, front.get_absolute_url())
    assert page.count("Too dark") >= 2  # on the panel, and under "Where it came from"
    assert "1 approved, 1 needs changes" in page_of(as_sam, "/history/?tab=team")


def test_a_long_line_of_versions_needs_no_more_queries(
    run: Run, result: Output, sam: Member, django_assert_max_num_queries: Any
) -> None:
    """D5: the panels of a whole run are built with a bounded number of queries."""
    outputs = list(Output.objects.filter(run=run).select_related("run"))
    versions = [
        Output(run=run, position=n, kind="image", status="completed", content_hash="a", line=result, number=n)
        for n in range(2, 52)
    ]
    Output.objects.bulk_create(versions)
    ReviewRules.objects.create(four_eyes=True)
    with django_assert_max_num_queries(4):
        verdicts_of([*outputs, *versions], sam)
