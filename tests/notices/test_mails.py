"""Emails about notices: what triggers one, what it contains, and who gets none (N2, N3, N5, N6, N15)."""

from email import policy
from email.parser import BytesParser
from io import BytesIO

import pytest
from django.core.mail import EmailMultiAlternatives as Sent
from django.test import Client
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from runs.models import Mail, MailWhenReady, Member, Notice, NoticeKind, ReviewItem, ReviewRequest, Run
from runs.models.messages import Message
from runs.notices import choices
from runs.review import verdicts
from runs.review.deciders import Reviewer
from tests.support.clients import client_of
from tests.support.factories import make_app, make_kept, make_run
from tests.support.notices import send_gathered, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(alice: Member) -> Run:
    return make_run(alice, make_app("Poster"), status="completed", title="Oak desk", shared_at=timezone.now())


def only(box: list[Sent]) -> Sent:
    assert len(box) == 1
    return box[0]


def test_what_gathers_within_two_minutes_makes_one_mail(
    alice: Member, bob: Member, run: Run, mailoutbox: list[Sent]
) -> None:
    for number in range(300):
        tell(alice, NoticeKind.MENTION, run, actor=bob if number else None)
    send_gathered()
    mail = only(mailoutbox)
    assert mail.to == [alice.email]
    told = "- Somebody mentioned you in a comment on Oak desk\n- Bob mentioned you in a comment on Oak desk (19×)\n"  # noqa: RUF001
    assert told in str(mail.body)
    assert "And 280 more." in str(mail.body)
    send_gathered()
    assert len(mailoutbox) == 1
    assert set(Notice.objects.values_list("mail", flat=True)) == {Mail.objects.get().pk}


def test_nothing_is_mailed_before_the_two_minutes_are_over(alice: Member, run: Run, mailoutbox: list[Sent]) -> None:
    from runs.notices import mails

    tell(alice, NoticeKind.REPLY, run)
    mails.MAILS.run()
    assert mailoutbox == []
    assert not Mail.objects.exists()


def test_a_mail_has_one_link_to_the_exact_place_and_no_inputs(
    alice: Member, bob: Member, run: Run, mailoutbox: list[Sent], settings: Settings
) -> None:
    settings.PORTAL_URL = "https://portal.example.com"
    notice = tell(alice, NoticeKind.DECIDED, run, actor=bob, output=run.outputs.all()[0])
    send_gathered()
    mail = only(mailoutbox)
    html = str(mail.alternatives[0][0])
    for part in (str(mail.body), html):
        assert part.count("https://") == 1
        assert f"notice={notice.public_id}" in part
    assert "<img" not in html  # the result has no picture
    assert "Ghibli" not in str(mail.body) + html + mail.subject  # "Ghibli" is an input
    parsed = BytesParser(policy=policy.default).parsebytes(mail.message().as_bytes())
    assert parsed["Message-ID"] == f"<{Mail.objects.get().public_id}@portal.example.com>"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert parsed["List-Unsubscribe"].startswith("<https://portal.example.com/mail/")


def test_a_mail_says_why_and_shows_the_result(
    alice: Member, bob: Member, admin_member: Member, mailoutbox: list[Sent]
) -> None:
    run = make_run(alice, make_app("Poster"), status="completed", title="Oak desk", shared_at=timezone.now())
    output = make_kept(run).output
    request = ReviewRequest.objects.create(asker=alice, message="For the\nshop window")
    ReviewItem.objects.create(request=request, output=run.outputs.all()[1], position=0)
    tell(bob, NoticeKind.ASKED, run, actor=alice, request=request)
    verdicts.decide(output, "changes", "Warmer, please", Reviewer(member=admin_member), None)
    failed = make_run(
        alice, status="failed", failure="remote", failure_text=Message(quote="No face found."), title="Hat"
    )
    tell(alice, NoticeKind.FAILED, failed)
    send_gathered()
    told = {mail.to[0]: mail for mail in mailoutbox}
    assert "Oak desk: “For the shop window”" in str(told[bob.email].body)
    assert "asked for changes to “Front” from Oak desk: “Warmer, please”" in str(told[alice.email].body)
    assert "Hat failed: Lamina couldn't complete this run. No face found." in str(told[alice.email].body)
    parsed = BytesParser(policy=policy.default).parsebytes(told[alice.email].message().as_bytes())
    (picture,) = [part for part in parsed.walk() if part.get_content_maintype() == "image"]
    assert f"cid:{picture['Content-ID'].strip('<>')}" in str(told[alice.email].alternatives[0][0])
    with Image.open(BytesIO(picture.get_content())) as shown:
        assert (shown.format, max(shown.size)) == ("JPEG", 40)  # as wide as the file


def test_names_stay_on_their_line_and_are_text(alice: Member, run: Run, mailoutbox: list[Sent]) -> None:
    run.title = "Oak\r\nBcc: eve@example.com"
    run.save()
    tell(alice, NoticeKind.GUEST, run, guest_name="<b>Kim</b>\n\u202eSubject: x")
    send_gathered()
    mail = only(mailoutbox)
    parsed = BytesParser(policy=policy.default).parsebytes(mail.message().as_bytes())
    assert parsed["Bcc"] is None
    assert "\n" not in mail.subject
    assert "\u202e" not in mail.subject
    assert "&lt;b&gt;Kim" in str(mail.alternatives[0][0])
    assert "<b>" not in str(mail.alternatives[0][0])


def test_opening_a_mail_reads_in_the_app_what_it_told(
    alice: Member, bob: Member, run: Run, mailoutbox: list[Sent], settings: Settings
) -> None:
    settings.PORTAL_URL = ""
    front, back = run.outputs.all()
    for output in (front, back):
        tell(alice, NoticeKind.MENTION, run, actor=bob, output=output)
    send_gathered()
    later = tell(alice, NoticeKind.MENTION, run, actor=bob, output=back)
    Member.objects.filter(pk=alice.pk).update(unread=3)
    path = next(line for line in str(only(mailoutbox).body).splitlines() if line.startswith("/results/"))
    signed_out = Client().get(path)
    assert signed_out.headers["Location"].startswith("/login/?next=")
    assert not Notice.objects.exclude(read_at=None).exists()
    assert client_of(alice).get(path).status_code == 200
    assert list(Notice.objects.unread()) == [later]


@pytest.mark.parametrize("reason", ["read", "undone", "not shared", "left", "in the bin", "off"])
def test_what_became_idle_is_not_mailed(
    alice: Member, bob: Member, run: Run, mailoutbox: list[Sent], reason: str
) -> None:
    notice = tell(bob, NoticeKind.MENTION, run, actor=alice)
    if reason == "read":
        Notice.objects.update(read_at=timezone.now())
    elif reason == "undone":
        Notice.objects.update(is_undone=True)
    elif reason == "not shared":
        Run.objects.update(shared_at=None)
    elif reason == "left":
        Member.objects.filter(pk=bob.pk).update(is_active=False)
    elif reason == "in the bin":
        Run.objects.update(deleted_at=timezone.now())
    else:
        choices.choose(bob, {NoticeKind.MENTION: "off"})
    send_gathered()
    send_gathered()
    assert mailoutbox == []
    notice.refresh_from_db()
    assert not Notice.objects.filter(mail=None, mail_due_at__isnull=False).exists()


@pytest.mark.parametrize("reason", ["closed", "not shared"])
def test_a_request_about_several_runs_is_mailed_while_a_decision_is_open(
    alice: Member, bob: Member, mailoutbox: list[Sent], reason: str
) -> None:
    request = ReviewRequest.objects.create(asker=alice)
    for position in range(2):
        output = make_run(alice, shared_at=timezone.now()).outputs.all()[0]
        ReviewItem.objects.create(request=request, output=output, position=position)
    tell(bob, NoticeKind.ASKED, request=request, actor=alice)
    send_gathered()
    assert len(mailoutbox) == 1
    tell(bob, NoticeKind.ASKED, request=request, actor=alice)
    if reason == "closed":
        ReviewRequest.objects.update(closed_at=timezone.now())
    else:
        Run.objects.update(shared_at=None)
    send_gathered()
    assert len(mailoutbox) == 1


def test_who_is_no_admin_any_more_gets_no_news_for_admins(
    admin_member: Member, as_admin: Client, mailoutbox: list[Sent]
) -> None:
    tell(admin_member, NoticeKind.PORTAL, message=Message("worker_killed", {"worker": "portal-7"}))
    assert "portal-7" in as_admin.get("/inbox/").content.decode()
    Member.objects.filter(pk=admin_member.pk).update(role="maker", is_superuser=False)
    send_gathered()
    assert mailoutbox == []
    assert "portal-7" not in as_admin.get("/inbox/").content.decode()


def test_each_reads_their_own_language(alice: Member, bob: Member, run: Run, mailoutbox: list[Sent]) -> None:
    Member.objects.filter(pk=bob.pk).update(language="de")
    for member in (alice, bob):
        tell(member, NoticeKind.FAILED, run)
    send_gathered()
    words = {mail.to[0]: (str(mail.extra_headers["Content-Language"]), mail.subject) for mail in mailoutbox}
    assert words == {
        alice.email: ("en", "Oak desk failed"),
        bob.email: ("de", "Oak desk ist fehlgeschlagen"),
    }
    [german] = [str(mail.body) for mail in mailoutbox if mail.to == [bob.email]]
    assert german.startswith("Hallo ")


def test_each_kind_is_off_at_once_or_once_a_day(alice: Member) -> None:
    def ways() -> dict[str, str]:
        return {kind.value: choices.ways_of([alice.pk], kind)[alice.pk] for kind in NoticeKind}

    at_once = ("mention", "reply", "comment", "asked", "decided", "set-aside", "guest", "failed", "limit", "portal")
    defaults = {"ready": "off", **dict.fromkeys(at_once, "once")}
    assert ways() == defaults
    for kind in NoticeKind:
        for way in ("daily", "off", "once"):
            choices.choose(alice, {kind: way})
            assert ways() == {**defaults, kind: way}
        choices.choose(alice, {kind: defaults[kind]})


def test_a_changed_choice_holds_for_what_waits(alice: Member, run: Run) -> None:
    waiting = tell(alice, NoticeKind.MENTION, run)
    for way, is_gathered in (("daily", False), ("once", True), ("off", False)):
        choices.choose(alice, {NoticeKind.MENTION: way})
        waiting.refresh_from_db()
        assert waiting.way == way
        assert (waiting.mail_due_at is not None) == is_gathered


def test_who_asked_for_it_is_mailed_when_a_run_is_ready(alice: Member, run: Run, mailoutbox: list[Sent]) -> None:
    other = make_run(alice, status="completed")
    MailWhenReady.objects.create(member=alice, run=run)
    for one in (run, other):
        tell(alice, NoticeKind.READY, one)
    send_gathered()
    assert "Oak desk" in only(mailoutbox).subject


def test_without_mail_people_are_only_told_in_the_app(alice: Member, run: Run, settings: Settings) -> None:
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}
    notice = tell(alice, NoticeKind.MENTION, run)
    assert (notice.way, notice.mail_due_at) == ("off", None)
    send_gathered()
    assert not Mail.objects.exists()
