"""A group decision from start to finish: everyone is notified of each event once, the way they chose and in their own
language.

`tests/browser/test_decisions_together.py` tells the same story by keyboard, in a browser.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.core.mail import EmailMultiAlternatives as Sent
from django.test import Client
from django.utils import timezone

from runs import events
from runs.models import Decision, GuestLink, Member, Notice, NoticeKind, Output, Run
from runs.notices import choices, mails, notice_text
from runs.review import verdicts
from runs.review.deciders import Reviewer
from runs.sharing.links import make_link
from tests.support.clients import client_of
from tests.support.factories import make_app, make_run
from tests.support.guest_links import guest_of
from tests.support.notices import send_gathered
from tests.support.page import Page
from tests.support.queue_page import form_of, heading

pytestmark = pytest.mark.django_db
LABELS = ["Front", "Side", "Back", "Detail"]


@pytest.fixture
def sam(make_member: Callable[..., Member]) -> Member:
    return make_member("samuel", role="approver")


@pytest.fixture
def alice(alice: Member) -> Member:
    """The maker of the results, who uses the portal in German."""
    Member.objects.filter(pk=alice.pk).update(language="de")
    alice.refresh_from_db()
    return alice


def make_bags(maker: Member, first: Output | None = None) -> Run:
    """Make four ready results or, if `first` is given, a new version of it."""
    shown = [{"index": n, "label": label, "type": "text"} for n, label in enumerate(LABELS)]
    app = first.run.app if first else make_app("Bags", outputs=shown)
    run = make_run(maker, app, status="completed", title="Oak bag")
    Output.objects.filter(run=run).update(kind="text", text="A bag", content_hash="a" * 64)
    if first is not None:
        run.outputs.exclude(position=0).delete()
        run.outputs.update(line=first, number=2)
        events.version_made.send(run.outputs.get(), first)
    events.run_ended.send(run)
    return run


def answer(client: Client, result: str, verdict: str, note: str = "") -> None:
    """Give a verdict on the first result in the queue, which must be `result`."""
    page = Page(client.get("/review/").content.decode())
    assert heading(page).startswith(result)
    assert client.post("/review/", form_of(page, verdict=verdict, note=note)).status_code == 303


def told(member: Member) -> list[str]:
    notices = Notice.objects.of(member).for_lists().order_by("created_at", "pk")
    return [notice_text.title_of(notice) for notice in notices]


def letters(box: list[Sent], member: Member) -> list[tuple[str, str]]:
    """Return the language and subject of each email sent to the member."""
    return [
        (str(mail.extra_headers["Content-Language"]), str(mail.subject)) for mail in box if mail.to == [member.email]
    ]


def test_everyone_is_told_once(alice: Member, as_alice: Client, sam: Member, mailoutbox: list[Sent]) -> None:
    choices.choose(sam, {NoticeKind.MENTION: "daily"})
    run, as_sam = make_bags(alice), client_of(sam)
    front, *_others = run.outputs.all()
    given = {"run": run.public_id, "who": "named", "members": [sam.public_id], "message": "For the shop"}
    as_alice.post("/review/ask/", given)
    send_gathered()
    link = make_link(alice, [front])
    GuestLink.objects.filter(pk=link.pk).update(lets_decide=True)
    link.refresh_from_db()

    verdicts.decide(front, "changes", "A warmer brown", Reviewer(guest=guest_of(link, "Kim")), None)
    as_alice.post(f"{front.get_absolute_url()}comment/", {"text": "@Samuel, do you agree?"})
    answer(as_sam, "Front", "changes", "Warmer, as Kim says")
    answer(as_sam, "Side", "approved")
    answer(as_sam, "Back", "approved")
    answer(as_sam, "Detail", "rejected", "Blurred")
    send_gathered()
    make_bags(alice, front)
    answer(as_sam, "Front version 2", "rejected", "A slip of the finger")
    verdicts.undo(Decision.objects.get(note__startswith="A slip").batch, Reviewer(member=sam))
    answer(as_sam, "Front version 2", "approved")
    send_gathered()
    with time_machine.travel(timezone.localtime().replace(hour=12) + timedelta(days=1)):
        for _ in range(3):
            mails.request_daily()
            mails.MAILS.run()

    assert told(alice) == [
        "Oak bag is ready",
        "Kim (guest) asked for changes to “Front” from Oak bag",
        "Samuel asked for changes to “Front” from Oak bag",
        "Samuel approved “Side” from Oak bag",
        "Samuel approved “Back” from Oak bag",
        "Samuel rejected “Detail” from Oak bag",
        "Oak bag is ready",
        "Samuel approved “Front” from Oak bag",
    ]
    assert told(sam) == [
        "Alice is asking for your decision on 4 results from Oak bag",
        "Alice mentioned you in a comment on “Front” from Oak bag",
    ]
    assert letters(mailoutbox, sam) == [
        ("en", "Alice is asking for your decision on 4 results from Oak bag"),
        ("en", "Your daily email: 1 notice"),
    ]
    (first, several), (second, one) = letters(mailoutbox, alice)
    assert (first, second) == ("de", "de")
    assert "Kim (Gast)" in several
    assert "4" in several
    assert "Samuel" in one
    assert "\n" not in several + one
