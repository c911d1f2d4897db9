"""Wider searches, for when no run contains all the words: they look for similar words, or leave one word out. The other
list is searched too, so that nobody thinks a few matches are all there are."""

from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.history import query_timeout
from runs.history.filter_choices import Directory
from runs.history.filters import Filter
from runs.history.hints import COUNT_UP_TO, Hint, broader, count_up_to, count_words, hints_of, in_other_list
from runs.models import Member
from runs.words.synonyms import kind_named
from runs.words.terms import query_words

FEW = 100  # count at most this many runs for each wider search, to see which one finds the fewest
ASIDE_SECONDS = 0.1  # a search with few matches may take this much longer, to count matches in the other list


@dataclass(frozen=True)
class Wider:
    """A wider search that finds runs, and the word it leaves out, as typed ("" if none). If it is the same search in
    the other list, `other_list` is the sentence above the runs that says so."""

    filter: Filter
    left_out: str = ""
    other_list: str = ""


@dataclass(frozen=True)
class Link:
    """A link to the other list, and whether the runs there contain all words exactly."""

    words: str
    url: str
    is_exact: bool


@dataclass(frozen=True)
class Elsewhere:
    """Suggestions for a search: a wider search to show if nothing is found, other searches to offer as hints, and a
    link to the other list.

    `is_counted` says whether matching runs in the other list have been counted.
    """

    wider: Wider | None = None
    hints: list[Hint] = field(default_factory=list)
    other: Link | None = None  # to the other list, if it has runs with all the words or with similar ones
    is_counted: bool = False


def elsewhere(filters: Filter, member: Member, directory: Directory) -> Elsewhere:
    """Return alternatives to `filters`, which has no matches. Makes at most two queries, or four if neither a wider
    search nor the other list has matches. If only the other list has runs with all the words, show those.

    If several words could be left out, leave out one that names a kind of result, because the kind is offered as a
    filter anyway. Otherwise, drop whichever word leaves the fewest matches, because that keeps the most specific words.
    """
    # The search on Home already covers both lists, and Home shows no hints
    choices, searches = _wider(filters), broader(filters) if filters.tab != "both" else []
    is_words_alone = bool(searches) and filters.conditions.keys() == {"q"}
    near = [replace(searches[0][1], is_similar=True)] if is_words_alone else []
    attempts = [(choice.filter, FEW) for choice in choices] + [(one, COUNT_UP_TO) for _label, one in searches]
    attempts += [(one, COUNT_UP_TO) for one in near]
    _look_up(directory, [one for one, _most in attempts], member)
    counts = count_up_to([(one.runs(member, directory), most) for one, most in attempts], member)
    there = counts[len(choices) :]
    hints = hints_of(searches, there[: len(searches)])
    useful = [(choice, count) for choice, count in zip(choices, counts, strict=False) if count]
    if not useful:
        if searches and filters.words and filters.tab != "starred" and there[0]:
            return Elsewhere(_only_there(searches[0][1]), hints[1:], is_counted=True)
        near_hints = hints or _near_in_other_list(searches[:1], member, directory)
        return Elsewhere(hints=near_hints, is_counted=True)
    best = _best(useful)[0]
    if not is_words_alone:
        return Elsewhere(best, hints, is_counted=True)
    return Elsewhere(best, other=_in_other_list(searches[0][1], *there), is_counted=True)


def also_elsewhere(filters: Filter, member: Member, directory: Directory) -> Elsewhere:
    """Return a link to the other list if `filters`, which has few matches in Mine or Team, has matches in that list
    too, at least with similar words. Makes at most two queries, and gives up after `ASIDE_SECONDS`."""
    is_asked = filters.words and filters.tab != "starred" and not (filters.selected or filters.is_similar)
    there = in_other_list(filters)
    if not is_asked or (there.tab == "mine" and not directory.has_own):
        return Elsewhere()
    attempts = [there, replace(there, is_similar=True)]
    try:
        with query_timeout.at_most(ASIDE_SECONDS):
            _look_up(directory, attempts, member)
            counts = count_up_to([(one.runs(member, directory), FEW) for one in attempts], member)
    except query_timeout.TookTooLong:
        return Elsewhere()
    return Elsewhere(other=_in_other_list(there, *counts, most=FEW), is_counted=True)


def _look_up(directory: Directory, filters: list[Filter], member: Member) -> None:
    """Look up the words that `filters` need. Takes at most one query."""
    directory.lookups.look_up([q for one in filters for q in one.word_queries(member, directory)])


def _near_in_other_list(searches: list[tuple[str, Filter]], member: Member, directory: Directory) -> list[Hint]:
    """Return a hint that links to the other list, if a wider search finds runs there."""
    choices = [choice for _label, there in searches for choice in _wider(there)]
    _look_up(directory, [one.filter for one in choices], member)
    counts = count_up_to([(one.filter.runs(member, directory), FEW) for one in choices], member)
    useful = [(choice, count) for choice, count in zip(choices, counts, strict=True) if count]
    return hints_of(searches, [_best(useful)[1]]) if useful else []


def _best(useful: list[tuple[Wider, int]]) -> tuple[Wider, int]:
    """Return the best of these wider searches, with its count."""
    return useful[0] if not useful[0][0].left_out else min(useful, key=_loss)


def _in_other_list(there: Filter, exact: int, similar: int = 0, *, most: int = COUNT_UP_TO) -> Link | None:
    """Return a link to `there` (the same search in Team or Mine) if it finds runs. `exact` and `similar` say how many
    runs have the exact words or similar ones, counted up to `most`."""
    count = exact or similar
    if not count:
        return None
    words = _exact_words(there, count) if exact else _similar_words(there, count)
    return Link(words % {"count": count_words(count, most)}, there.url(), bool(exact))


def _only_there(there: Filter) -> Wider:
    words = (
        _("None of your runs match. These are in Team.")
        if there.tab == "team"
        else _("No runs in Team match. These are your own runs.")
    )
    return Wider(there, other_list=words)


def _exact_words(there: Filter, count: int) -> str:
    if there.tab == "team":
        return ngettext(
            "%(count)s run in Team matches all of these words.",
            "%(count)s runs in Team match all of these words.",
            count,
        )
    return ngettext(
        "%(count)s of your runs matches all of these words.",
        "%(count)s of your runs match all of these words.",
        count,
    )


def _similar_words(there: Filter, count: int) -> str:
    if there.tab == "team":
        return ngettext(
            "%(count)s run in Team has similar words.",
            "%(count)s runs in Team have similar words.",
            count,
        )
    return ngettext(
        "%(count)s of your runs has similar words.",
        "%(count)s of your runs have similar words.",
        count,
    )


def _wider(filters: Filter) -> list[Wider]:
    if not filters.words or filters.is_similar:
        return []
    return [Wider(replace(filters, is_similar=True)), *_with_one_left_out(filters)]


def _loss(choice: tuple[Wider, int]) -> tuple[bool, int]:
    wider, count = choice
    return not any(kind_named(word) for word in query_words(wider.left_out)), count


def _with_one_left_out(filters: Filter) -> list[Wider]:
    if len(filters.words) < 2:
        return []
    parts = [part for part in filters.q.split() if set(query_words(part)) & set(filters.words)]
    return [
        Wider(replace(filters, q=" ".join(one for one in parts if one != part), is_similar=True), part)
        for part in dict.fromkeys(parts)
        if len(set(parts)) > 1
    ]
