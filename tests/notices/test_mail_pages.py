"""The pages and buttons for emails: which emails people get, unsubscribing with one click, invalid addresses, and the
test email (N2, N7, N14, N15; for deciding, D6)."""

import re
from collections.abc import Callable
from email import policy
from email.parser import BytesParser
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.core.mail import EmailMultiAlternatives as Sent
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runs.models import Member, NoticeChoice, NoticeKind, Output, Run
from runs.notices import choices, unsubscribe
from runs.review import comments, requests
from runs.review.deciders import Reviewer
from runs.sharing import links
from tests.support.factories import make_run
from tests.support.guest_links import path_of
from tests.support.mail_servers import MailServer
from tests.support.notices import send_gathered, tell

pytestmark = pytest.mark.django_db
WITHOUT_MAIL = {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}


def text_of(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def test_each_kind_hour_and_reminders_are_chosen_on_ones_own_page(as_alice: Client, alice: Member) -> None:
    page = text_of(as_alice, "/me/")
    assert "Someone mentions you" in page
    assert "The portal needs an admin" not in page  # only admins see this choice
    form = {f"mail-{kind}": way for kind, way in choices.chosen_by(alice).items() if kind != choices.REMINDER}
    answer = as_alice.post("/me/mails/", form | {"mail-mention": "daily", "mail-ready": "once", "mail-hour": "17"})
    assert answer.status_code == 302
    alice.refresh_from_db()
    assert alice.mail_hour == 17
    chosen = dict(NoticeChoice.objects.values_list("kind", "way"))
    # only the choices that were changed are stored
    assert chosen == {"mention": "daily", "ready": "once", "reminder": "off"}
    assert as_alice.post("/me/mails/", form | {"mail-hour": "24"}).status_code == 422


def test_without_mail_the_pages_say_so(as_admin: Client, settings: Settings) -> None:
    settings.MAILERS = WITHOUT_MAIL
    assert "Email isn't set up here" in text_of(as_admin, "/me/")
    answer = as_admin.post("/manage/notices/mail-test/", {"back": "/manage/notices/"}, follow=True)
    assert "so people only get notices in the portal" in answer.content.decode()


def test_the_header_stops_just_its_kinds_without_a_cookie(alice: Member, bob: Member, mailoutbox: list[Sent]) -> None:
    tell(alice, NoticeKind.MENTION, actor=bob)
    send_gathered()
    parsed = BytesParser(policy=policy.default).parsebytes(mailoutbox[0].message().as_bytes())
    path = urlsplit(parsed["List-Unsubscribe"].strip("<>")).path
    Member.objects.filter(pk=alice.pk).update(is_active=False)  # the link works for a deactivated account, too
    stranger = Client(enforce_csrf_checks=True)
    page = stranger.get(path)
    assert "Someone mentions you" in page.content.decode()
    assert not NoticeChoice.objects.exists()  # opening the page changes nothing, since mail scanners open links
    answer = stranger.post(path, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert "sessionid" not in answer.cookies
    assert list(NoticeChoice.objects.values_list("member", "kind", "way")) == [(alice.pk, "mention", "off")]


def test_robots_that_open_everything_in_a_mail_change_nothing(
    alice: Member, bob: Member, make_member: Callable[..., Member], mailoutbox: list[Sent]
) -> None:
    """Promise D6 (see tests/review)."""
    sam = make_member("samuel", role="approver")
    run = make_run(alice, status="completed", shared_at=timezone.now())
    Output.objects.update(text="A lake", content_hash="a" * 64)
    link = links.make_link(alice, list(run.outputs.all()))
    requests.ask(alice, list(run.outputs.all()))
    comments.post(Reviewer(member=bob), run, run.outputs.all()[0], "Look, @Samuel")
    send_gathered()
    told = [f"{mail.body} {mail.alternatives} {mail.extra_headers}" for mail in mailoutbox if mail.to == [sam.email]]
    found = {urlsplit(url) for text in told for url in re.findall(r"https?://[^\s\"'<>\\]+", text)}
    assert {url.path.split("/")[1] for url in found} == {"review", "mail"} or len(found) > 1, found
    paths = [url._replace(scheme="", netloc="").geturl() for url in found] + [path_of(link)]
    before = everything()
    for path in paths * 3:
        for robot in ({"User-Agent": "SafeLinks-Scanner/1.0 (compatible; bot)"}, {"Sec-Purpose": "prefetch"}):
            client = Client(headers=robot)
            client.head(path)
            client.get(path, follow=True)
    assert everything() == before


def everything() -> dict[str, list[tuple[object, ...]]]:
    """Return all rows in the portal's tables, by table."""
    models = apps.get_app_config("runs").get_models()
    return {model._meta.db_table: list(model._default_manager.order_by("pk").values_list()) for model in models}


def test_a_forged_address_does_nothing(alice: Member, bob: Member) -> None:
    mine, theirs = unsubscribe.sign(alice, ["mention"]), unsubscribe.sign(bob, ["mention"])
    forged = [
        theirs.replace(bob.public_id, alice.public_id),
        mine.replace("mention", "reply"),
        f"{alice.public_id}~mention",
        mine[:-1],
    ]
    for signed in forged:
        assert Client().post(f"/mail/{signed}/").status_code == 404
    assert not NoticeChoice.objects.exists()


def test_a_run_in_progress_offers_a_mail_when_it_is_ready(as_alice: Client, alice: Member, as_bob: Client) -> None:
    run = make_run(alice, status="running", shared_at=timezone.now())
    for client in (as_alice, as_bob):
        assert "Email me when it's ready" in text_of(client, run.get_absolute_url())
    as_alice.post(f"/runs/{run.public_id}/mail/", {"wanted": "1"})
    assert choices.ways_of([alice.pk], NoticeKind.READY, run) == {alice.pk: "once"}
    assert "You'll get an email" in text_of(as_alice, run.get_absolute_url())
    as_alice.post(f"/runs/{run.public_id}/mail/", {"wanted": ""})
    assert choices.ways_of([alice.pk], NoticeKind.READY, run) == {alice.pk: "off"}
    # people who get emails about all their runs aren't offered one for this run
    choices.choose(alice, {NoticeKind.READY: "once"})
    assert "run-mail" not in text_of(as_alice, run.get_absolute_url())
    assert "run-mail" in text_of(as_bob, run.get_absolute_url())
    choices.choose(alice, {NoticeKind.READY: "off"})
    Run.objects.update(status="completed", finished_at=timezone.now())
    assert "run-mail" not in text_of(as_alice, run.get_absolute_url())


def test_a_dead_address_is_seen_and_tried_again(as_admin: Client, as_alice: Client, alice: Member) -> None:
    dead = {"mail_dead_at": timezone.now(), "bounces": 3}
    Member.objects.filter(pk=alice.pk).update(**dead)
    assert "Emails bouncing" in text_of(as_admin, "/manage/people/")
    assert "the mail server says that the address" in text_of(as_admin, f"/manage/people/{alice.public_id}/")
    as_admin.post(f"/manage/people/{alice.public_id}/mail-again/")
    alice.refresh_from_db()
    assert (alice.bounces, alice.mail_dead_at) == (0, None)
    Member.objects.filter(pk=alice.pk).update(**dead)
    assert "the mail server says that the address" in text_of(as_alice, "/me/")
    as_alice.post("/me/mails/again/")
    alice.refresh_from_db()
    assert alice.mail_dead_at is None


def test_the_test_mail_shows_what_the_mail_server_says(as_admin: Client, mail_server: MailServer) -> None:
    assert "Send a test email" in text_of(as_admin, "/manage/notices/")
    answer = as_admin.post("/manage/notices/mail-test/", {"back": "/manage/notices/"}, follow=True)
    assert "The mail server accepted a test email to ada@example.com" in answer.content.decode()
    assert mail_server.mails[0]["Subject"] == "Test email from Lamina Portal"
    mail_server.at_rcpt = lambda _address: "550 5.7.1 Not from <you>"
    answer = as_admin.post("/manage/notices/mail-test/", {"back": "/manage/"}, follow=True)
    assert "550 5.7.1 Not from &lt;you&gt;" in answer.content.decode()
