"""Kinds and sizes of files that a field accepts, and the reasons for rejecting a file."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from runs.models.messages import Message
from runs.storage import file_types
from runs.storage.fetch import LIMITS
from runs.words.sizes import size_words

KINDS = ("image", "video", "audio")
REFUSED_TYPES = {file_types.HEIC.extension: Message("heic"), file_types.SVG.extension: Message("svg")}
NO_MEDIA = Message("no_media")


def accepted_kinds(accept: Iterable[str]) -> list[str]:
    """Return the kinds listed in `accept` (as "image" or "image/*"); empty if `accept` is empty."""
    return [kind for kind in KINDS if any(word.strip().lower().split("/")[0] == kind for word in accept)]


def kind_problem(kind: str, extension: str, kinds: list[str]) -> Message | None:
    """Return why a file of this type can't be used in a field that accepts `kinds` (empty means any media), or None if
    it can."""
    if kind in (kinds or KINDS):
        return None
    if extension in REFUSED_TYPES:
        return REFUSED_TYPES[extension]
    if not kinds:
        return NO_MEDIA
    return Message("wrong_kind", {"wanted_kinds": " ".join(kinds), "given_kind": kind})


def size_problem(kind: str, size: int) -> Message | None:
    """Return why a file of this kind with `size` bytes is too large, or None if it isn't."""
    if size > LIMITS[kind]:
        return Message("too_large_file", {"size_bytes": size, "limit_bytes": LIMITS[kind]})
    return None


def limits_of(accept: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Return the size limit, in bytes and in words, of each kind that `accept` allows."""
    return {kind: (LIMITS[kind], size_words(LIMITS[kind])) for kind in accepted_kinds(accept) or KINDS}


def limit_words(accept: Iterable[str]) -> str:
    """Return the limits in words, such as "Pictures up to 50 MB", for all kinds that `accept` allows."""
    words = {
        "image": _("Pictures up to %(size)s"),
        "video": _("Videos up to %(size)s"),
        "audio": _("Audio files up to %(size)s"),
    }
    return " · ".join(words[kind] % {"size": size} for kind, (_bytes, size) in limits_of(accept).items())
