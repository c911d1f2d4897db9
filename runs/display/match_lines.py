"""Where a search found a run, for cards that don't show the words: "Comment by Ann: “… the red shoe …”"."""

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import Case, QuerySet, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Left
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from runs.engine.input_summary import SAMPLE, SEARCH_TEXT
from runs.history.filters import KINDS, Filter
from runs.models import Comment, Decision, Member, Run, RunInput
from runs.models.run import RunInputUpload
from runs.schema_forms.questions import shortened
from runs.words.file_names import parsed_name
from runs.words.highlight import NONE, Marker
from runs.words.markup import filled_in
from runs.words.synonyms import kind_named

NOTHING = Value("", TextField())
NOT_FOUND = SafeString()
LONGEST_ESCAPE = len("\\ud83d\\ude00")  # a character in JSON
NEWEST = 1_000  # how many comments and how many decisions on a page's runs to search, newest first
LETTERS = 200_000  # how many characters of a run's text to search for the words
# How many characters of the title and of each input a card shows. Matches beyond that aren't visible.
TITLE_SHOWN, LINE_SHOWN = 60, 24


class RunText(NamedTuple):
    """A piece of text that a run can be found by. `label` is the name of the input, or of the member who wrote the
    text. If a guest wrote it, their name is in `guest`."""

    source: str
    label: str = ""
    email: str = ""
    guest: str = ""
    raw: str = ""

    @property
    def who(self) -> str:
        return self.guest or Member(name=self.label, email=self.email).display_name

    @property
    def searched_name(self) -> str:
        """The name that a search matches against; "" for comments, which are only searched by their text."""
        return self.who if self.source == "decision" else ""

    @property
    def text(self) -> str:
        """The text as people see it. The value of an input is stored as JSON."""
        if self.source not in ("input", "link"):
            return self.raw
        return _text_of(self.raw)


@dataclass(frozen=True)
class RunSearch:
    """What a search looks for."""

    marker: Marker = NONE
    besides: Member | None = None  # the search finds runs by the names of their maker and owner, but not by this one's
    file: str = ""  # the name of a file that the search looks for
    kinds: frozenset[str] = field(default_factory=frozenset)  # the kinds of result named in the search

    @classmethod
    def by(cls, filters: Filter, viewer: Member, similar: dict[str, tuple[str, ...]]) -> "RunSearch":
        """Return what `filters` looks for; `similar` has the same meaning as in `Marker.of`. Where `viewer`
        searches their own runs, their own name doesn't count."""
        kinds = {kind for word in filters.words if (kind := kind_named(word))} if filters.is_similar else set()
        besides = viewer if filters.tab in ("mine", "both") else None
        file = filters.q if parsed_name(filters.q) and not filters.is_similar else ""
        return cls(Marker.of(filters.words, similar), besides, file, frozenset(kinds))

    def unseen(self, title: str, lines: Iterable[str]) -> Marker:
        """Return a marker for the words that a card with this title and these inputs doesn't show."""
        return self.marker.without([title[:TITLE_SHOWN], *(line[:LINE_SHOWN] for line in lines)])


NO_SEARCH = RunSearch()


def _text_of(stored: str) -> str:
    """Return the text in `stored`, which is JSON that may be cut off; "" if it isn't text."""
    if not stored.startswith('"'):
        return ""
    for end in range(len(stored), max(0, len(stored) - LONGEST_ESCAPE), -1):  # it may be cut off in an escape sequence
        with suppress(ValueError):
            return str(json.loads(stored if end == len(stored) and stored.endswith('"') else f'{stored[:end]}"'))
    return ""


def texts_of(runs: Collection[int]) -> dict[int, list[RunText]]:
    """Return all the text that `words.run_index` finds `runs` by, except for what's in the run itself. Both `runs` and
    the keys of the result are primary keys.

    Everybody who can see a run can see all of this text. Hidden inputs and removed comments are left out.
    """
    texts: dict[int, list[RunText]] = {}
    if runs:
        for run, *columns in _texts_in(list(runs)):
            texts.setdefault(run, []).append(RunText(*columns))
    return texts


def _texts_in(runs: list[int]) -> "QuerySet[Any, Any]":
    nobody = (NOTHING, NOTHING, NOTHING)
    inputs = RunInput.objects.filter(run__in=runs, is_hidden=False)
    uploads = RunInputUpload.objects.filter(input__run__in=runs, input__is_hidden=False)
    comments = Comment.objects.filter(run__in=runs, removed_at=None).exclude(text="")
    comments = Comment.objects.filter(pk__in=comments.order_by("-pk").values("pk")[:NEWEST])
    decisions = Decision.objects.filter(output__run__in=runs).exclude(verdict="", note="")
    decisions = Decision.objects.filter(pk__in=decisions.order_by("-pk").values("pk")[:NEWEST])
    is_link, who = When(type="url", then=Value("link")), ("member__name", "member__email", "guest_name")
    texts = _as_text(inputs, "run_id", Case(is_link, default=Value("input")), "name", *nobody[1:], "value").union(
        _as_text(uploads, "input__run_id", Value("file"), *nobody, "upload__name"),
        _as_text(comments, "run_id", Value("comment"), *who, "text"),
        _as_text(decisions, "output__run_id", Value("decision"), *who, "note"),
        all=True,
    )
    return texts.order_by()


def _as_text(rows: "QuerySet[Any]", run: str, *columns: str | Combinable) -> "QuerySet[Any, Any]":
    """Return a query for the run's key and `columns` converted to text, so that it can be combined with the queries for
    other tables."""
    texts = {
        f"text{n}": Left(Coalesce(Cast(column, TextField()), NOTHING), SEARCH_TEXT) for n, column in enumerate(columns)
    }
    combined: QuerySet[Any, Any] = rows.order_by().annotate(**texts).values_list(run, *texts)
    return combined


def match_line(
    run: Run, texts: Iterable[RunText], kinds: Iterable[str], unseen: Marker, search: RunSearch
) -> SafeString:
    """Return a line saying which text contains the most `unseen` terms (words that the card doesn't show), with an
    excerpt. If no text contains any, the line names one of the run's `kinds` of results that the search asked for; if
    there isn't one, return ""."""
    if not unseen.terms:
        return NOT_FOUND
    best, most = None, 0
    for text in _within(LETTERS, [*_own_texts(run, search), *texts]):
        count = len(unseen.terms_in(text.text) | unseen.terms_in(text.searched_name))
        if count > most:
            best, most = text, count
        if most == len(unseen.terms):
            break
    if best:
        return _words(best, unseen)
    names = [KINDS[kind] for kind in search.kinds.intersection(kinds) if kind in KINDS]
    return filled_in(_("Results: %(kind)s"), kind=format_html("<mark>{}</mark>", _(names[0]))) if names else NOT_FOUND


def _own_texts(run: Run, search: RunSearch) -> Iterator[RunText]:
    yield RunText("title", raw=run.title)
    yield RunText("app", raw=run.app_name)
    yield RunText("app", raw=run.app.name)
    if search.file:
        yield RunText("file", raw=search.file)
    people = {"maker": run.maker, "owner": run.member}
    yield from (RunText(role, raw=one.display_name) for role, one in people.items() if one != search.besides)


def _within(letters: int, texts: Iterable[RunText]) -> Iterator[RunText]:
    """Yield `texts` until they add up to more than `letters` characters."""
    for text in texts:
        yield text
        letters -= len(text.raw) + LETTERS // NEWEST  # so lots of short texts take no longer than a few long ones
        if letters < 0:
            return


def _words(text: RunText, marker: Marker) -> SafeString:
    """Return where the words were found, with some of the text around them."""
    excerpt = format_html("<bdi>{}</bdi>", marker.excerpt(text.text))
    if text.source == "input":
        return filled_in(_("%(input)s: “%(text)s”"), input=shortened(text.label), text=excerpt)
    if text.source == "link":  # people never see the URL
        sample = format_html("<mark>{}</mark>", _(SAMPLE))
        return filled_in(_("%(input)s: %(text)s"), input=shortened(text.label), text=sample)
    if text.source in ("comment", "decision"):
        name = format_html("<bdi>{}</bdi>", marker.marked(text.searched_name) or text.who)
        name = filled_in(_("%(name)s (guest)"), name=name) if text.guest else name
        if text.source == "comment":
            return filled_in(_("Comment by %(name)s: “%(text)s”"), name=name, text=excerpt)
        if text.raw:
            return filled_in(_("Note by %(name)s: “%(text)s”"), name=name, text=excerpt)
        return filled_in(_("Decided by %(name)s"), name=name)
    sentences = {
        "title": _("Title: %(text)s"),
        "app": _("App: %(text)s"),
        "file": _("File: %(text)s"),
        "maker": _("Made by %(text)s"),
        "owner": _("Owned by %(text)s"),
    }
    return filled_in(sentences[text.source], text=excerpt)
