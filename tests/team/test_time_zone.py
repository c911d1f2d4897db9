"""The time zone of pages and emails: the one chosen in the settings, otherwise the browser's or the portal's."""

import io
import zipfile
from datetime import UTC, datetime

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runs.models import GuestLink, Member, Run
from runs.sharing import links
from runs.team import security_mail, sessions
from runs.web import secret_links
from runs.web.secret_links import Purpose
from runs.web.time_zone import COOKIE
from tests.support.clients import client_of
from tests.support.factories import make_kept, make_run

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 5, 23, 30, 9, tzinfo=UTC)
BERLIN = "Friday, 6 March 2026, 00:30:09 (Berlin, UTC+1)"
NEW_YORK = "Thursday, 5 March 2026, 18:30:09 (New York, UTC-5)"
PORTALS = "Thursday, 5 March 2026, 23:30:09 (UTC)"


@pytest.fixture
def run(alice: Member) -> Run:
    made = make_run(alice, status="completed", created_at=AT, started_at=AT, finished_at=AT, title="Oak desk")
    make_kept(made)
    return made


def with_zone(client: Client, zone: str) -> Client:
    client.cookies[COOKIE] = zone
    return client


def choose(member: Member, zone: str) -> None:
    Member.objects.filter(pk=member.pk).update(time_zone=zone)


# --- Pages


def test_the_chosen_zone_comes_before_the_browsers_and_that_before_the_portals(
    as_alice: Client, alice: Member, run: Run
) -> None:
    page = run.get_absolute_url()
    assert PORTALS in as_alice.get(page).text
    with_zone(as_alice, "America/New_York")
    assert NEW_YORK in as_alice.get(page).text
    choose(alice, "Europe/Berlin")
    assert BERLIN in as_alice.get(page).text
    choose(alice, "Gone/Since_Then")
    assert NEW_YORK in as_alice.get(page).text
    assert timezone.get_current_timezone_name() == "UTC"  # the next request in this thread doesn't inherit the zone


@pytest.mark.parametrize("wrong", ["Nowhere/Atlantis", "../../etc/passwd", "europe/berlin", "posixrules", "x" * 3000])
def test_a_zone_that_does_not_exist_is_the_portals(as_alice: Client, run: Run, wrong: str) -> None:
    assert PORTALS in with_zone(as_alice, wrong).get(run.get_absolute_url()).text


def test_a_new_browser_begins_with_the_zone_of_the_last_one(
    alice: Member, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "SEEN_EVERY_SECONDS", 0.0)
    with_zone(client_of(alice), "Europe/Berlin").get("/history/")
    other = client_of(alice)
    assert BERLIN in other.get(run.get_absolute_url()).text
    other.get("/history/")  # this request names no time zone, so the last one still applies
    alice.refresh_from_db()
    assert (alice.browser_time_zone, alice.time_zone, alice.mail_time_zone) == ("Europe/Berlin", "", "Europe/Berlin")


def test_what_a_poll_brings_is_in_the_readers_zone(as_alice: Client, alice: Member) -> None:
    active = make_run(alice, created_at=AT)
    with_zone(as_alice, "Europe/Berlin")
    asked = {"r": f"{active.public_id}:nothing-yet"}
    found = as_alice.get(f"/runs/{active.public_id}/status/", asked, headers={"HX-Request": "true"}).text
    assert BERLIN in found


def test_the_zone_is_chosen_in_the_settings(as_alice: Client, alice: Member) -> None:
    answers = {"name": "Alice", "theme": "", "language": ""}
    assert as_alice.post("/me/", answers | {"time_zone": "Europe/Berlin"}).status_code == 302
    page = as_alice.get("/me/").text
    assert '<option value="Europe/Berlin" selected>Berlin, UTC+' in page
    assert "(Berlin, UTC+" in page
    assert as_alice.post("/me/", answers | {"time_zone": "Europe/Atlantis"}).status_code == 422
    alice.refresh_from_db()
    assert alice.time_zone == "Europe/Berlin"


def test_history_filters_by_the_readers_days(as_alice: Client, run: Run) -> None:
    filtered = "/history/?from=2026-03-06&to=2026-03-06"
    assert "Oak desk" not in as_alice.get(filtered).text
    page = with_zone(as_alice, "Europe/Berlin").get(filtered).text
    assert "Oak desk" in page
    assert "Friday, 6 March" in page


def test_a_card_tells_the_full_time_with_its_link(as_alice: Client, run: Run) -> None:
    page = with_zone(as_alice, "Europe/Berlin").get("/history/").text
    assert f'aria-describedby="card-{run.public_id}-when"' in page
    assert f'id="card-{run.public_id}-when"><span>6 March 2026, 00:30 (Berlin, UTC+1)</span>' in page


# --- What is the same for everyone


def test_files_are_named_by_the_portals_day_and_their_sheet_tells_the_readers_time(
    as_alice: Client, run: Run, settings: Settings
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    answer = with_zone(as_alice, "America/New_York").get("/download/", {"r": run.public_id})
    assert "oak-desk_2026-03-06.zip" in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as archive:
        assert any("2026-03-06" in name for name in archive.namelist())
        sheet = next(name for name in archive.namelist() if name.endswith(".csv"))
        assert "2026-03-05 18:30:09-0500" in archive.read(sheet).decode()


def guest_link(run: Run) -> tuple[GuestLink, str]:
    link = links.make_link(run.member, list(run.outputs.all()))
    return link, f"/s/{secret_links.token_of(Purpose.GUEST, link.nonce)}/"


def test_a_guest_link_ends_on_the_same_day_for_everyone_and_guests_see_when(run: Run) -> None:
    link, path = guest_link(run)
    GuestLink.objects.filter(pk=link.pk).update(expires_at=datetime(2126, 3, 6, tzinfo=UTC))
    for zone, full in {
        "": "Tuesday, 5 March 2126, 23:59:59 (UTC)",
        "Asia/Tokyo": "Wednesday, 6 March 2126, 08:59:59 (Tokyo, UTC+9)",
        "America/New_York": "Tuesday, 5 March 2126, 18:59:59 (New York, UTC-5)",
    }.items():
        page = with_zone(Client(), zone).get(path).text
        assert ">5 March 2126</time>" in page, zone
        assert full in page, zone


def test_saving_a_link_elsewhere_does_not_move_its_last_day(as_alice: Client, run: Run) -> None:
    link, _path = guest_link(run)
    day, options = links.last_day_of(link).isoformat(), f"/shares/{link.public_id}/"
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        posted = {"o": [o.public_id for o in run.outputs.all()], "last_day": day, "may_download": "on"}
        assert f'value="{day}"' in with_zone(as_alice, zone).get(options).text
        assert as_alice.post(options, posted).status_code == 302
        assert links.last_day_of(GuestLink.objects.get(pk=link.pk)).isoformat() == day


# --- Emails


def test_emails_tell_times_in_the_persons_zone(alice: Member, mailoutbox: list[EmailMessage]) -> None:
    Member.objects.filter(pk=alice.pk).update(browser_time_zone="Europe/Berlin")
    security_mail.send_password_changed_mail(alice.pk, int(AT.timestamp()))
    choose(alice, "America/New_York")
    security_mail.send_password_changed_mail(alice.pk, int(AT.timestamp()))
    assert "6 March 2026, 00:30 (Berlin, UTC+1)" in str(mailoutbox[0].body)
    assert "5 March 2026, 18:30 (New York, UTC-5)" in str(mailoutbox[1].body)
    assert timezone.get_current_timezone_name() == "UTC"
