"""What is different about each kind of notice, except for its sentences (`notice_text.py`)."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _lazy

from runs.models import NoticeKind, Way

SEVERAL_RUNS, THE_PORTAL = _lazy("Several runs"), _lazy("The portal")


@dataclass(frozen=True)
class Kind:
    """How notices of one kind are listed, emailed and posted to the team's chat."""

    icon: str
    chat_label: Promise | None = None  # for the team, while `NoticeKind` says "you"; None if it can't be posted there
    is_chat_default: bool = True  # whether a new channel has it ticked
    default_way: Way = Way.ONCE  # how people are emailed unless they choose something else
    heading: Promise = SEVERAL_RUNS  # in the inbox, above notices that aren't about one run
    is_end: bool = False  # a run ended: lists show its picture, and "Email me when it's ready" applies


KINDS: dict[str, Kind] = {  # in the order that the form for a chat channel lists them
    NoticeKind.ASKED: Kind("review", _lazy("Decisions are needed")),
    NoticeKind.DECIDED: Kind("check", _lazy("Someone decides")),
    NoticeKind.SET_ASIDE: Kind("other", _lazy("A decision is set aside")),
    NoticeKind.GUEST: Kind("link", _lazy("A guest answers or comments")),
    NoticeKind.READY: Kind("ready", _lazy("A run is ready"), default_way=Way.OFF, is_end=True),
    NoticeKind.FAILED: Kind("failed", _lazy("A run fails"), is_end=True),
    NoticeKind.MENTION: Kind("comment", _lazy("A comment mentions someone"), is_chat_default=False),
    NoticeKind.REPLY: Kind("comment", _lazy("Someone replies to a comment"), is_chat_default=False),
    NoticeKind.COMMENT: Kind("comment", _lazy("Someone comments on a run"), is_chat_default=False),
    NoticeKind.LIMIT: Kind("info", heading=THE_PORTAL),
    NoticeKind.PORTAL: Kind("warning", heading=THE_PORTAL),
}
ENDS = [kind for kind, facts in KINDS.items() if facts.is_end]
CHAT_LABELS = {kind: facts.chat_label for kind, facts in KINDS.items() if facts.chat_label is not None}
