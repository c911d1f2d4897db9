"""The page of one result: the result, its neighbours, and where it came from.

A result may have several files; each is shown on its own (`?n=2`), so that zoom, full screen, Previous and Next work
the same everywhere. Previous and Next go through all results of the run in order, including failed ones. If the page
was opened from History (`?in=<query>`), they continue with the other runs in that list.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from runs.display.provenance import Provenance, provenance_of
from runs.display.run_page import OutputBox, is_live, output_boxes
from runs.history.order import outputs_beside
from runs.history.search import Filter
from runs.models import Member, Output, OutputFile, Run, StoredFile, for_page
from runs.words.sentences import State, state_of

VIEWERS = ("image", "video", "audio")
EAGER_BYTES = 8_000_000  # pictures up to this size load in full at once; larger ones when somebody zooms


@dataclass(frozen=True)
class Slide:
    """One item to show: a file of a result, or a result without files."""

    box: OutputBox
    output: Output
    file: StoredFile | None
    number: int  # of the file within its result, from 1
    count: int
    url: str

    @property
    def label(self) -> str:
        return self._numbered(self.box.label)

    @property
    def alt(self) -> str:
        return self._numbered(self.box.alt)

    def _numbered(self, words: str) -> str:
        """Return `words`, with the number of the file if the result has several."""
        if self.count == 1:
            return words
        values = {"result": words, "number": self.number, "count": self.count}
        return _("%(result)s, %(number)s of %(count)s") % values

    @property
    def kind(self) -> str:
        """How to show it: image, video, audio, text, download, or the result's state if there is nothing to show."""
        if self.file is not None:
            return self.file.kind if self.file.kind in VIEWERS else "download"
        if self.box.state == "ready":
            return "text" if self.box.text else "unknown"
        return self.box.state

    @property
    def icon(self) -> str:
        """The icon shown where there is no small picture."""
        if self.box.state in ("error", "unsaved", "cancelled"):
            return {"error": "failed", "unsaved": "partly"}.get(self.box.state, "cancelled")
        kind = self.file.kind if self.file is not None else self.box.kind
        return kind if kind in (*VIEWERS, "text") else "file"

    @property
    def is_eager(self) -> bool:
        """Whether the full picture loads by itself. Animated pictures wait for a click."""
        file = self.file
        return file is not None and file.size_bytes <= EAGER_BYTES and file.media_type != "image/gif"


@dataclass(frozen=True)
class Beside:
    """The target of Previous or Next; `picture` may be preloaded."""

    url: str
    label: str
    picture: str = ""


@dataclass(frozen=True)
class ResultPage:
    """The page of one result."""

    run: Run
    state: State
    slide: Slide
    slides: list[Slide]
    position: int  # of `slide` in `slides`, from 1
    previous: Beside | None
    next: Beside | None
    provenance: Provenance
    is_live: bool
    run_url: str

    @property
    def place_words(self) -> str:
        if len(self.slides) == 1:
            return ""
        return _("%(position)s of %(count)s") % {"position": self.position, "count": len(self.slides)}


def find_run(member: Member, public_id: str) -> Run | None:
    """Return the run that has the result `public_id`, with all the page needs; None if `member` may not see it."""
    return for_page(Run.objects.visible_to(member)).filter(outputs__public_id=public_id).first()


def result_of_file(member: Member, public_id: str) -> str:
    """Return the address of a result that has the stored file `public_id`; "" if `member` may see none."""
    held = OutputFile.objects.filter(file__public_id=public_id, output__in=Output.objects.visible_to(member))
    found = held.select_related("output").order_by("pk").first()
    if found is None:
        return ""
    files = found.output.files.filter(status=OutputFile.Status.SAVED, position__lt=found.position).count()
    return _url(found.output.get_absolute_url(), files + 1)


def result_page(run: Run, member: Member, public_id: str, number: int = 1, walk: str | None = None) -> ResultPage:
    """Return the page for result `public_id` in `run` (fetched with `for_page()`), showing its file `number`.

    `walk` is the query of the History list that `member` came from, or None.
    """
    slides = list(_slides(run, walk))
    own = [n for n, slide in enumerate(slides) if slide.output.public_id == public_id]
    at = next((n for n in own if slides[n].number == number), own[0])
    slide = slides[at]
    previous = _beside(slides[at - 1]) if at else None
    following = _beside(slides[at + 1]) if at + 1 < len(slides) else None
    if walk is not None and (previous is None or following is None):
        found = outputs_beside(slide.output, Filter.parse(walk), member)
        previous = previous or _elsewhere(found.newer, walk)
        following = following or _elsewhere(found.older, walk)
    return ResultPage(
        run=run,
        state=state_of(run),
        slide=slide,
        slides=slides,
        position=at + 1,
        previous=previous,
        next=following,
        provenance=provenance_of(run, slide.output, slide.file),
        is_live=slide.box.state in ("pending", "saving") and is_live(run),
        run_url=_url(run.get_absolute_url(), 1, walk),
    )


def _beside(slide: Slide) -> Beside:
    picture = slide.file if slide.kind == "image" else None
    return Beside(slide.url, slide.label, (picture.large_url or picture.original_url) if picture else "")


def _elsewhere(output: Output | None, walk: str) -> Beside | None:
    """Return a link to a result of another run."""
    if output is None:
        return None
    label = _("%(result)s of %(run)s") % {"result": output.label or _("Result"), "run": output.run.display_title}
    return Beside(_url(output.get_absolute_url(), 1, walk), label)


def _slides(run: Run, walk: str | None) -> Iterator[Slide]:
    for output, box in zip(run.outputs.all(), output_boxes(run, is_swap=False), strict=True):
        files: list[StoredFile | None] = [*box.files] or [None]
        for number, file in enumerate(files, 1):
            yield Slide(box, output, file, number, len(files), _url(box.url, number, walk))


def _url(url: str, number: int, walk: str | None = None) -> str:
    query = ({"n": str(number)} if number > 1 else {}) | ({} if walk is None else {"in": walk})
    return f"{url}?{urlencode(query)}" if query else url
