"""The sheet in a guest's zip: it contains what it should, and nothing that the page doesn't show."""

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from django.test import Client

from runs.models import GuestLink, Member, Output, Run
from runs.review.deciders import Reviewer
from runs.review.verdicts import decide
from runs.sharing.links import last_day_of
from tests.sharing.guest_page import page_of, today
from tests.sharing.guest_visit import visit
from tests.support.guest_links import guest_of, path_of

pytestmark = pytest.mark.django_db
ALWAYS = ["File", "Result", "Kind", "Day", "Size in bytes", "SHA-256"]


def zip_of(link: GuestLink, **fields: object) -> zipfile.ZipFile:
    page_of(link, may_download=True, **fields)
    return zipfile.ZipFile(io.BytesIO(b"".join(Client().get(f"{path_of(link)}download/"))))


def rows_of(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read("files.csv").decode("utf-8-sig"))))


def test_the_sheet_lists_each_file_as_guests_get_it(link: GuestLink) -> None:
    archive = zip_of(link)

    front, back = rows_of(archive)

    for row in (front, back):
        content = archive.read(row["File"])
        assert row["SHA-256"] == hashlib.sha256(content).hexdigest()
        assert row["Size in bytes"] == str(len(content))
        assert row["Day"] == today()
    assert (front["Result"], front["Kind"]) == ("Front", "PNG picture")
    assert (back["Result"], back["Kind"]) == ("Back", "Text")


@pytest.mark.parametrize(("audience", "name"), [("Nora & Söhne", "nora-söhne"), ("", "shared"), ("🎉", "shared")])
def test_its_name_says_whom_it_is_for_and_the_day(link: GuestLink, audience: str, name: str) -> None:
    page_of(link, may_download=True, audience=audience)
    told = Client().head(f"{path_of(link)}download/").headers["Content-Disposition"]
    assert unquote(told).endswith(f"{name}_{today()}.zip" + ("" if "ö" in name else '"'))


def test_app_and_inputs_are_there_only_if_the_link_shows_them(link: GuestLink, run: Run) -> None:
    run.inputs.create(position=1, name="Style", type="text", value="=HYPERLINK(A1)")

    assert list(rows_of(zip_of(link))[0]) == ALWAYS
    assert list(rows_of(zip_of(link, shows_app=True))[0]) == [*ALWAYS, "App"]
    row = rows_of(zip_of(link, shows_app=False, shows_inputs=True))[0]
    assert list(row) == [*ALWAYS, "Input: Style", "Input: Style (2)"]
    assert (row["Input: Style"], row["Input: Style (2)"]) == ("Ghibli", "'=HYPERLINK(A1)")


def test_of_all_decisions_it_has_only_the_guests_own(link: GuestLink, run: Run) -> None:
    Output.objects.filter(run=run).update(content_hash="a" * 64)
    GuestLink.objects.filter(pk=link.pk).update(may_download=True, lets_decide=True)
    link.refresh_from_db()
    assert list(rows_of(zip_of(link, lets_decide=True))[0]) == ALWAYS
    kim = visit(link).type("r1", "=Warmer").press("changes", "r1").press("", name="Kim")
    kim.type("r2", "By Kim").press("approve", "r2")
    visit(link).type("r2", "By Lee").press("approve", "r2").press("", name="Lee")
    download = next(b for b in kim.page.find("button") if "Download all" in b.words)

    front, back = rows_of(zipfile.ZipFile(io.BytesIO(b"".join(Client().post(*kim.sent_by(download))))))

    assert list(front) == [*ALWAYS, "Your decision", "Decided", "Your note"]
    assert (front["Your decision"], front["Your note"], front["Decided"][:10]) == ("Needs changes", "'=Warmer", today())
    assert (back["Your decision"], back["Your note"]) == ("Approved", "By Kim")


def test_it_never_tells_maker_cost_title_or_lamina(link: GuestLink, run: Run) -> None:
    value = {"file": "https://lamina.test/secret", "name": "Shoe"}
    Run.objects.filter(pk=run.pk).update(credits_estimated="12.50")
    Output.objects.filter(run=run, position=1).update(raw_value=value, text='{"file": "https://lamina.test/secret"}')

    archive = zip_of(link, shows_app=True, shows_inputs=True)

    told = b"".join(archive.read(name) for name in archive.namelist() if not name.endswith(".png")).decode().lower()
    for secret in ("alice", "12.5", "spring", run.public_id, run.remote_id, "lamina.test"):
        assert secret not in told


def test_maker_cost_and_decision_are_there_where_the_links_maker_ticks_them(
    link: GuestLink, run: Run, as_alice: Client, bob: Member, make_member: Callable[..., Member]
) -> None:
    Run.objects.filter(pk=run.pk).update(credits_estimated="12.50", made_by=bob, shared_at=run.created_at)
    Output.objects.filter(run=run).update(content_hash="a" * 64)
    front, back = run.outputs.all()
    decide(front, "approved", "Nice, but keep it quiet", Reviewer(member=make_member("ruth", role="approver")), None)
    GuestLink.objects.filter(pk=link.pk).update(lets_decide=True)
    link.refresh_from_db()
    decide(back, "changes", "Warmer", Reviewer(guest=guest_of(link, "Lee")), None)

    def filled(**ticked: str) -> list[dict[str, str]]:
        given = {"o": [front.public_id, back.public_id], "last_day": str(last_day_of(link)), "may_download": "on"}
        as_alice.post(f"/shares/{link.public_id}/", given | {"lets_decide": "on"} | ticked)
        return rows_of(zip_of(link))

    assert list(filled()[0]) == ALWAYS
    assert list(filled(shows_app="on")[0]) == [*ALWAYS, "App"]
    assert filled(lists_maker="on")[0]["Made by"] == "Bob"
    assert filled(lists_cost="on")[0]["Credits for the whole run (estimate)"] == "12.5"
    first, second = filled(lists_decision="on")
    assert list(first) == [*ALWAYS, "Decision", "Decided by", "Decision made"]
    assert (first["Decision"], first["Decided by"]) == ("Approved", "Ruth: Approved")
    assert first["Decision made"].startswith(today())
    assert (second["Decision"], second["Decided by"]) == ("Needs changes", "A guest: Needs changes")
    assert filled(lists_decision="on", hides_names="on")[0]["Decided by"] == "The team: Approved"
    page = as_alice.get(f"/shares/{link.public_id}/").text
    assert re.search(r'name="lists_decision"\s+checked', page)
