"""Messages to Slack and Teams: what is sent, and what the portal does when Slack or Teams doesn't accept it
(N10, N11)."""

import threading
from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.utils import timezone

from runs.models import ChatChannel, ChatMessage, Comment, Incident, Member, ReviewRequest, Run
from runs.models.ids import new_public_id
from runs.notices import channels, chat
from runs.notices.chat_text import post_of
from runs.review.comments import post
from runs.review.deciders import Reviewer
from runs.review.verdicts import decide, undo
from runs.words.messages import say
from runs.words.moments import portal_day
from tests.notices.chat_world import Event, send_after, set_channel, texts, url_of
from tests.support.chat_receiver import Receiver
from tests.support.factories import make_app, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(alice: Member) -> Run:
    """Return one of Alice's runs, shared with the team."""
    return make_run(alice, status="completed", title="Oak desk", shared_at=timezone.now())


@pytest.fixture
def slack(receiver: Receiver) -> ChatChannel:
    return set_channel("slack", receiver.slack)


@pytest.fixture
def teams(receiver: Receiver) -> ChatChannel:
    return set_channel("teams", receiver.teams)


def waiting() -> int:
    return ChatMessage.objects.waiting().count()


@pytest.mark.usefixtures("slack", "teams")
def test_one_event_makes_one_message_in_each_channel(run: Run, receiver: Receiver) -> None:
    for _ in range(3):
        chat.post_event(Event("ready", "ended-1", run))
    chat.CHAT.run()
    chat.CHAT.run()
    assert len(receiver.taken) == 2
    assert [texts(message) for message in receiver.taken] == [
        ["Oak desk is ready", "2 results", "Alice", "Open in Lamina Portal"]
    ] * 2
    assert {url_of(message) for message in receiver.taken} == {f"http://127.0.0.1:8000{run.get_absolute_url()}"}
    assert receiver.problems == []
    assert waiting() == 0


@pytest.mark.usefixtures("slack")
def test_a_private_run_never_goes_to_a_channel(run: Run, alice: Member, receiver: Receiver) -> None:
    hidden = make_run(alice, status="completed")
    chat.post_event(Event("ready", "ended-1", hidden))
    Run.objects.filter(pk=hidden.pk).update(shared_at=timezone.now())  # shared too late: its end is no longer news
    chat.post_event(Event("ready", "ended-2", run))
    Run.objects.filter(pk=run.pk).update(shared_at=None)  # no longer shared when the message is due
    binned = make_run(alice, status="completed", shared_at=timezone.now(), deleted_at=timezone.now())
    chat.post_event(Event("ready", "ended-3", binned))
    chat.CHAT.run()
    assert receiver.asked == []
    assert waiting() == 0


def test_a_channel_gets_the_kinds_and_apps_that_were_chosen(run: Run, alice: Member, receiver: Receiver) -> None:
    other = make_run(alice, make_app("Other"), status="completed", shared_at=timezone.now())
    channels.set_channel("slack", receiver.slack, ["ready"], [other.app], "en")
    for kind, about in (("ready", run), ("failed", other), ("ready", other), ("portal", other)):
        chat.post_event(Event(kind, f"{kind}-{about.pk}", about))
    assert waiting() == 1
    message = post_of(ChatMessage.objects.get())
    assert message is not None
    assert message.title == "Other is ready"  # unlike pages, messages don't name an untitled run by its first input
    channels.set_channel("slack", "", ["failed"], [], "en")  # this also applies to messages that are already waiting
    chat.CHAT.run()
    assert (receiver.asked, waiting()) == ([], 0)


@pytest.mark.usefixtures("teams")
def test_what_one_press_decides_is_one_message_without_what_is_private_or_undone(
    run: Run, alice: Member, admin_member: Member, receiver: Receiver
) -> None:
    batch, hidden = new_public_id(), make_run(alice, status="completed")
    for output in (*hidden.outputs.all(), *run.outputs.all()):
        made = decide(output, "approved", "Lovely", Reviewer(admin_member), None, batch=batch)
        chat.post_event(Event("decided", f"decision-{made.pk}", output.run, output, decision=made))
    chat.CHAT.run()
    assert receiver.asked == []  # the decisions may still be undone
    send_after(minutes=2)
    assert [texts(message)[:3] for message in receiver.taken] == [
        ["Approved: 2 results from Oak desk", "Lovely", "Ada"]
    ]

    output = run.outputs.all()[0]
    made = decide(output, "rejected", "No", Reviewer(admin_member), None)
    chat.post_event(Event("decided", f"decision-{made.pk}", run, output, decision=made))
    undo(made.batch, Reviewer(admin_member))
    send_after(minutes=2)
    assert len(receiver.taken) == 1
    assert waiting() == 0


@pytest.mark.usefixtures("slack")
def test_a_decision_that_was_posted_is_taken_back(run: Run, admin_member: Member, receiver: Receiver) -> None:
    output = run.outputs.all()[0]
    made = decide(output, "approved", "", Reviewer(admin_member), None)
    send_after(minutes=2)
    undo(made.batch, Reviewer(admin_member))
    send_after(minutes=4)
    titles = [texts(message)[0] for message in receiver.taken]
    assert titles == ["Approved: “Front” from Oak desk", "Decision withdrawn: “Front” from Oak desk"]


@pytest.mark.usefixtures("slack")
def test_messages_say_what_happened(run: Run, alice: Member, bob: Member, receiver: Receiver) -> None:
    output = run.outputs.all()[0]
    request = ReviewRequest.objects.create(asker=alice, message="By noon?")
    request.items.create(output=output, position=0)
    comment = post(Reviewer(member=bob), run, output, "Warmer light, @Alice")
    removed = post(Reviewer(member=bob), run, output, "Nonsense")
    failed = make_run(alice, run.app, status="failed", failure="credits", shared_at=timezone.now(), title="Lamp")
    for event in (
        Event("asked", "asked-1", request=request),
        Event("reply", "comment-2", run, output, removed),
        Event("failed", "ended-1", failed),
    ):
        chat.post_event(event)
    Comment.objects.filter(pk=removed.pk).update(removed_at=timezone.now(), text="")
    chat.CHAT.run()
    assert [texts(message)[:3] for message in receiver.taken] == [
        ["A comment on “Front” from Oak desk mentions Alice", "Warmer light, @Alice", "Bob"],
        ["A decision is needed on “Front” from Oak desk", "By noon?", "Alice"],
        ["Lamp failed", "There aren't enough credits left for this run.", "Alice"],
    ]
    assert url_of(receiver.taken[0]).endswith(f"{output.get_absolute_url()}#comment-{comment.public_id}")


def test_messages_are_in_the_channels_language(run: Run, alice: Member, receiver: Receiver) -> None:
    set_channel("slack", receiver.slack, language="de")
    request = ReviewRequest.objects.create(asker=alice, due_on=portal_day())
    request.items.create(output=run.outputs.all()[0], position=0)
    chat.post_event(Event("asked", "asked-1", request=request))
    chat.CHAT.run()
    assert "Alice · heute fällig" in texts(receiver.taken[0])


@pytest.mark.usefixtures("slack")
@pytest.mark.parametrize("status", [404, 410])
def test_an_address_that_is_gone_is_switched_off_and_admins_are_told(
    status: int, run: Run, receiver: Receiver, slack: ChatChannel
) -> None:
    for number in range(3):
        chat.post_event(Event("ready", f"ended-{number}", run))
    receiver.answer(status, b"no_service")
    chat.CHAT.run()
    slack.refresh_from_db()
    assert slack.off_at is not None
    assert say(slack.error) == f"It responded with status {status}: “no_service”"
    assert [say(incident.text)[:32] for incident in Incident.objects.all()] == ["Slack no longer accepts messages"]
    chat.post_event(Event("ready", "ended-9", run))
    chat.CHAT.run()
    assert (len(receiver.asked), waiting()) == (1, 0)

    set_channel("slack", receiver.slack)
    chat.post_event(Event("ready", "ended-10", run))
    chat.CHAT.run()
    assert len(receiver.taken) == 1


@pytest.mark.usefixtures("slack")
@pytest.mark.parametrize("is_date", [False, True], ids=["seconds", "date"])
def test_the_far_sides_wait_is_honoured(is_date: bool, run: Run, receiver: Receiver) -> None:
    for number in range(2):
        chat.post_event(Event("ready", f"ended-{number}", run))
    in_an_hour = format_datetime(timezone.now() + timedelta(hours=1), usegmt=True)
    receiver.answer(429, Retry_After=in_an_hour if is_date else "3600")
    chat.CHAT.run()
    send_after(minutes=59)
    assert len(receiver.asked) == 1  # the other message to this address isn't sent either
    send_after(minutes=61)
    assert len(receiver.taken) == 2
    assert not ChatChannel.objects.exclude(error="").exists()


@pytest.mark.usefixtures("slack")
@pytest.mark.parametrize(
    ("asked", "hours"), [("99999999999999999999", 24), ("-5", 0.01), ("soon", 0.01), ("1e999", 0.01)]
)
def test_a_wait_is_at_most_a_day_and_nonsense_is_none(asked: str, hours: float, run: Run, receiver: Receiver) -> None:
    chat.post_event(Event("ready", "ended-1", run))
    receiver.answer(429, Retry_After=asked)
    chat.CHAT.run()
    wait = ChatMessage.objects.get().due_at - timezone.now()
    assert timedelta() < wait <= timedelta(hours=hours)


@pytest.mark.usefixtures("slack")
def test_a_server_in_trouble_is_tried_five_times_with_growing_pauses(run: Run, receiver: Receiver) -> None:
    chat.post_event(Event("ready", "ended-1", run))
    pauses, hours = [], 0.0
    for _ in range(5):
        receiver.answer(503)
        before = timezone.now()
        send_after(hours=hours)
        hours += 1.01
        message = ChatMessage.objects.get()
        pauses.append(message.due_at - before)
    send_after(hours=20)
    assert len(receiver.asked) == 5
    assert message.given_up_at is not None
    assert pauses[:4] == sorted(pauses[:4])
    told = [say(incident.text) for incident in Incident.objects.all()]
    assert told == ["A message couldn't be posted to Slack. It responded with status 503."]

    chat.post_event(Event("ready", "ended-2", run))
    chat.CHAT.run()
    assert len(receiver.taken) == 1
    assert not ChatChannel.objects.exclude(error="").exists()


@pytest.mark.usefixtures("slack")
def test_a_refused_message_is_not_tried_again_and_the_next_one_is_sent(run: Run, receiver: Receiver) -> None:
    for number in range(3):
        chat.post_event(Event("ready", f"ended-{number}", run))
    receiver.answer(400, b"invalid_blocks")
    receiver.answer(302, Location=receiver.origin)
    chat.CHAT.run()
    assert (len(receiver.asked), len(receiver.taken), waiting()) == (3, 1, 0)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
@pytest.mark.usefixtures("teams")
def test_an_empty_answer_is_a_success(status: int, run: Run, receiver: Receiver) -> None:
    chat.post_event(Event("ready", "ended-1", run))
    receiver.answer(status)
    chat.CHAT.run()
    assert ChatMessage.objects.get().sent_at is not None


@pytest.mark.usefixtures("slack")
def test_old_news_is_not_sent(run: Run, receiver: Receiver) -> None:
    chat.post_event(Event("ready", "ended-1", run))
    ChatMessage.objects.update(created_at=timezone.now() - timedelta(days=3))
    chat.CHAT.run()
    assert (receiver.asked, waiting()) == ([], 0)
    chat.tidy(timezone.now() + timedelta(days=31))
    assert not ChatMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_a_message_once(alice: Member, receiver: Receiver) -> None:
    from django.db import connection

    set_channel("slack", receiver.slack)
    run = make_run(alice, status="completed", shared_at=timezone.now())
    for number in range(4):
        chat.post_event(Event("ready", f"ended-{number}", run))

    def work() -> None:
        try:
            chat.CHAT.run()
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(receiver.taken) == 4
