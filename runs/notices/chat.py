"""Messages to the team's channels in Slack and Teams, created along with the event and sent by the worker.

Each message is a row created in the event's transaction, one for each channel that covers the event. The text is
written when the message is sent, after checking that the team may still see the run. Messages are delivered at least
once: if a worker dies while sending one, it is sent again.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from runs.audit.record import record
from runs.background.due_work import DueWork, Slot
from runs.models import (
    ChatChannel,
    ChatMessage,
    Decision,
    Member,
    ReviewItem,
    Verb,
)
from runs.models.messages import Message
from runs.notices import channels
from runs.notices.chat_delivery import ChatOutcome, hand_over
from runs.notices.chat_text import Post, post_of, trial_post
from runs.notices.notice_text import NoticeContent
from runs.notices.slack import slack_message
from runs.notices.teams import teams_message
from runs.web.sealed_texts import SealedError

logger = logging.getLogger(__name__)

REGRET = timedelta(minutes=1)  # delay for messages about decisions, because many decisions are undone right away
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (30, 120, 600, 3600))  # pauses between attempts
MOST_TRIES = len(PAUSES) + 1
STALE = timedelta(days=2)  # messages older than this are dropped
RETENTION = timedelta(days=30)
TAKEN_BACK = (Decision.Act.UNDO, Decision.Act.WITHDRAW)


def post_event(about: NoticeContent) -> None:
    """Create a message about an event for each channel that covers it. Called in the event's transaction."""
    concerned = [channel for channel in ChatChannel.objects.filter(off_at=None) if about.kind in channel.kinds]
    due_at = timezone.now() + (REGRET if about.decision else timedelta())
    messages = [
        ChatMessage(
            channel=channel,
            event=_event_of(about),
            kind=about.kind,
            run=about.run,
            output=about.output,
            comment=about.comment,
            decision=about.decision,
            request=about.request,
            due_at=due_at,
        )
        for channel in concerned
        if _is_told(about, channel)
    ]
    if messages:
        ChatMessage.objects.bulk_create(messages, ignore_conflicts=True)
        transaction.on_commit(CHAT.request)


def _event_of(about: NoticeContent) -> str:
    """Return the event's name. It is the same for results that were decided together, so they share one message."""
    decision = about.decision
    is_verdict = decision is not None and decision.act == Decision.Act.DECIDE
    return f"batch-{decision.batch}" if decision and is_verdict else about.event


def _is_told(about: NoticeContent, channel: ChatChannel) -> bool:
    """Return whether to post the event to the channel: it must be allowed to mention the event's run or, for a request
    to the team, at least one of the request's runs. A withdrawal is posted only where the decision was posted."""
    if about.decision and about.decision.act in TAKEN_BACK:
        posts = channel.messages.exclude(sent_at=None)
        if about.decision.target is None or not posts.filter(event=f"batch-{about.decision.target.batch}").exists():
            return False
    if about.request:
        run_ids = ReviewItem.objects.filter(request=about.request).values("output__run")
        return about.request.link_id is None and channels.told_runs(channel).filter(pk__in=run_ids).exists()
    return about.run is not None and channels.told_runs(channel).filter(pk=about.run.pk).exists()


def _next_due() -> ChatMessage | None:
    """Return the next message. It isn't claimed, because only one worker sends messages."""
    rows = ChatMessage.objects.due(timezone.now()).select_related(
        *("channel", "run__member", "request__asker", "comment__output__run", "comment__run", "comment__member"),
        *("decision__output__run", "decision__member"),
    )
    return rows.first()


def _send(message: ChatMessage, _slot: Slot) -> None:
    """Send one message and record the result."""
    channel, is_stale = message.channel, message.created_at < timezone.now() - STALE
    post = post_of(message) if message.kind in channel.kinds and not is_stale else None
    if post is None:
        _give_up(message)
        return
    outcome = _post_to(channel, post)
    if outcome.is_taken:
        ChatMessage.objects.filter(pk=message.pk).update(sent_at=timezone.now(), tries=F("tries") + 1)
        channels.record_success(channel)
    elif outcome.is_gone:
        channels.switch_off(channel, outcome.message)
    elif outcome.may_retry and message.tries + 1 < MOST_TRIES:
        _postpone(message, outcome)
        channels.record_trouble(channel, outcome.message)
    else:
        _give_up(message)
        channels.record_trouble(channel, outcome.message)
        channels.tell_lost(channel, outcome.message)


def _post_to(channel: ChatChannel, post: Post) -> ChatOutcome:
    """Send `post` to the channel. The address never appears in the log, whatever goes wrong."""
    try:
        address = channels.address_of(channel)
    except SealedError:
        return ChatOutcome(is_gone=True, message=Message("chat_address_unreadable"))
    content = slack_message(post) if channel.app == ChatChannel.App.SLACK else teams_message(post)
    try:
        return hand_over(address, content)
    except Exception as error:  # noqa: BLE001 - its text or traceback could hold the address
        logger.error("chat=%s: sending failed with %s", channel.app, type(error).__name__)
        return ChatOutcome(may_retry=True, message=Message("chat_unreachable"))


def _postpone(message: ChatMessage, outcome: ChatOutcome) -> None:
    """Retry the message later. The channel's other messages wait just as long, since they would fail too."""
    later = timezone.now() + (outcome.wait or PAUSES[message.tries])
    ChatMessage.objects.filter(pk=message.pk).update(tries=F("tries") + 1)
    ChatMessage.objects.waiting().filter(channel=message.channel, due_at__lt=later).update(due_at=later)


def _give_up(message: ChatMessage) -> None:
    ChatMessage.objects.filter(pk=message.pk).update(given_up_at=timezone.now())


CHAT = DueWork("send_chat", lambda: ChatMessage.objects.due(timezone.now()).exists(), _next_due, _send)


def send_trial(channel: ChatChannel, by: Member) -> Message:
    """Send a test message now; return the error, or an empty `Message` if there was none.

    If the test succeeds, a channel that had been turned off is turned back on.
    """
    record(Verb.CHAT_TESTED, channel, label=channel.get_app_display())
    outcome = _post_to(channel, trial_post(by.display_name, channel.language))
    if outcome.is_taken:
        channels.record_success(channel)
        return Message()
    if outcome.is_gone:
        channels.switch_off(channel, outcome.message)
    channels.record_trouble(channel, outcome.message)
    return outcome.message


def tidy(now: datetime) -> None:
    """Delete old messages."""
    ChatMessage.objects.filter(created_at__lt=now - RETENTION).delete()
