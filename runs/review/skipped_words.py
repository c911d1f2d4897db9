"""Sentences that explain why some of the results that someone selected were skipped."""

from django.utils.translation import ngettext

from runs.words.numbers import number_words


def skipped_words(code: str, count: int) -> str:
    """Return a sentence that explains why `count` results were skipped. `code` is a `DecisionError.code`."""
    words = {
        "stale": ngettext(
            "%(count)s result was skipped because it had changed in the meantime.",
            "%(count)s results were skipped because they had changed in the meantime.",
            count,
        ),
        "superseded": ngettext(
            "%(count)s result was skipped because there is a newer version.",
            "%(count)s results were skipped because there are newer versions.",
            count,
        ),
        "not-saved": ngettext(
            "%(count)s result was skipped because it hasn't been saved.",
            "%(count)s results were skipped because they haven't been saved.",
            count,
        ),
    }
    otherwise = ngettext(
        "%(count)s result was skipped because you can't decide on it.",
        "%(count)s results were skipped because you can't decide on them.",
        count,
    )
    return words.get(code, otherwise) % {"count": number_words(count)}


def left_out_words(hopeless: int, superseded: int) -> str:
    """Return a sentence saying how many results are left out of a request, because they failed or because there is a
    newer version; "" if none are."""
    failed = ngettext(
        "%(count)s result failed or was cancelled, so it's left out.",
        "%(count)s results failed or were cancelled, so they're left out.",
        hopeless,
    )
    older = ngettext(
        "%(count)s result has a newer version, so it's left out.",
        "%(count)s results have newer versions, so they're left out.",
        superseded,
    )
    return _sentences((failed, hopeless), (older, superseded))


def not_for_guests_words(unready: int, foreign: int) -> str:
    """Return a sentence saying how many results a guest link can't show, because they aren't ready or because they
    belong to someone else; "" if it can show all of them."""
    waiting = ngettext(
        "%(count)s result isn't ready yet, so it's left out of the link.",
        "%(count)s results aren't ready yet, so they're left out of the link.",
        unready,
    )
    theirs = ngettext(
        "%(count)s result belongs to someone else, so it's left out of the link: only they may share it.",
        "%(count)s results belong to someone else, so they're left out of the link: only they may share them.",
        foreign,
    )
    return _sentences((waiting, unready), (theirs, foreign))


def _sentences(*parts: tuple[str, int]) -> str:
    """Return the sentences whose count isn't 0, joined by spaces."""
    return " ".join(words % {"count": number_words(count)} for words, count in parts if count > 0)
