"""Wider searches to hint at when nothing matches: the same search in the other list, or with fewer filters."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from runs.history.filter_bar import without_label
from runs.history.filter_choices import Directory
from runs.history.filters import Filter
from runs.models import Member
from runs.models.joined import CountUpTo
from runs.models.run import RunQuerySet
from runs.words.numbers import number_words

COUNT_UP_TO = 1_000


@dataclass(frozen=True)
class Hint:
    """A wider search that has matches."""

    label: str
    url: str
    count: str  # such as "12" or "1,000+"


def broader(filters: Filter) -> list[tuple[str, Filter]]:
    """Return searches wider than `filters`, each with a label: the same search in another list, or with fewer filters.

    For a search with words, return at most three, to limit the cost.
    """
    conditions = filters.conditions
    there = in_other_list(filters)
    other = (_("In the team's runs") if there.tab == "team" else _("In your runs"), there)
    if conditions.keys() == {"q"}:
        return [other]
    if filters.q and len(conditions) > 2:
        words_alone = filters.without(*[name for name in conditions if name != "q"])
        without_words = (without_label("q", filters), filters.without("q"))
        return [other, (_("Without the filters"), words_alone), without_words]
    fewer = [(without_label(name, filters), filters.without(name)) for name in conditions]
    return fewer if filters.tab == "starred" and not filters.q else [other, *fewer]


def in_other_list(filters: Filter) -> Filter:
    """Return the same search in the other list: in Team if `filters` is in Mine, otherwise in Mine."""
    return filters.on_tab("team" if filters.tab == "mine" else "mine")


def mine_url(filters: Filter, directory: Directory) -> str:
    """Return the URL of the same search in the member's own runs, which Team doesn't list; "" if such a link wouldn't
    help."""
    is_help = (
        filters.tab == "team" and bool(filters.conditions) and directory.has_own and not filters.is_selected_results
    )
    return in_other_list(filters).url() if is_help else ""


def hints_of(searches: list[tuple[str, Filter]], counts: list[int]) -> list[Hint]:
    """Return a hint for each of `searches` that has matches, with the number of matches."""
    return [
        Hint(label, one.url(), count_words(count))
        for (label, one), count in zip(searches, counts, strict=True)
        if count
    ]


def count_words(count: int, most: int = COUNT_UP_TO) -> str:
    """Return a count as text, such as "12", or "1,000+" if it has reached the limit `most`."""
    return number_words(count) + ("+" if count == most else "")


def count_up_to(lists: list[tuple[RunQuerySet, int]], member: Member) -> list[int]:
    """Count the runs in each of `lists`, up to its limit, with one query for all of them."""
    if not lists:
        return []
    counts = {f"count{n}": CountUpTo(runs.order_by().values("pk")[:most]) for n, (runs, most) in enumerate(lists)}
    return list(Member.objects.filter(pk=member.pk).values_list(*counts.values()).get())
