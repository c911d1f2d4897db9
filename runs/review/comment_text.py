"""Checks the text of a comment, and finds the members that it mentions.

People mention a member by typing "@" and the name, or by picking them from a list. The database stores who was meant
(`models.Mention`), so a comment still names the same person after they change their name.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.models import Member
from runs.models.comments import COMMENT_LENGTH
from runs.words.errors import UserFacingError
from runs.words.numbers import number_words

INVISIBLE = ("Z", "C")  # spaces and control characters (Unicode categories)


class CommentRefusedError(UserFacingError):
    """The comment was refused, and nothing was stored. `code` says why, for scripts and tests."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class UnseenMentionError(CommentRefusedError):
    """The comment mentions `members`, who can't see its run."""

    def __init__(self, members: list[Member]) -> None:
        super().__init__("unseen", _("Someone you mentioned can't see this. Nothing was sent."))
        self.members = members


def cleaned(text: str) -> str:
    """Return `text` as we store it. Raises `CommentRefusedError` unless it has 1 to 2,000 characters."""
    text = text.replace("\x00", " ").replace("\r\n", "\n").strip()  # PostgreSQL can't store NUL characters
    if all(unicodedata.category(character)[0] in INVISIBLE for character in text):
        raise CommentRefusedError("empty", _("Write something first."))
    if len(text) > COMMENT_LENGTH:
        words = ngettext(
            "This comment has %(count)s character; the limit is %(limit)s.",
            "This comment has %(count)s characters; the limit is %(limit)s.",
            len(text),
        )
        counts = {"count": number_words(len(text)), "limit": number_words(COMMENT_LENGTH)}
        raise CommentRefusedError("too-long", words % counts)
    return text


def finder(names: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that finds "@" followed by one of `names`, ignoring case; the longest matching name wins."""
    longest_first = sorted(filter(None, names), key=len, reverse=True)
    options = "|".join(map(re.escape, longest_first)) or "(?!)"
    return re.compile(rf"(?<!\w)@({options})(?!\w)", re.IGNORECASE)


def members_named(text: str, picked: Collection[Member]) -> dict[Member, str]:
    """Return the active members that `text` mentions, and those `picked` from the list, each with the words that
    mention them.

    If several members share a name, it refers to the one who was picked; if none or several of them were picked, it
    refers to nobody.
    """
    mentions = dict.fromkeys((member for member in picked if member.is_active), "")
    if "@" not in text:
        return mentions
    by_name: dict[str, list[Member]] = {}
    for member in Member.objects.filter(is_active=True).order_by("pk"):
        by_name.setdefault(member.display_name.casefold(), []).append(member)
    for match in finder(by_name).finditer(text):
        same = by_name.get(match[1].casefold(), [])
        candidates = [member for member in same if member in mentions] or same
        if len(candidates) == 1:
            mentions[candidates[0]] = mentions.get(candidates[0]) or match[0]
    return mentions
