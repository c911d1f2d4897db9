"""The page of one result: the result, its neighbours, and where it came from.

A result may have several files. Each file is shown on its own (`?n=2`), so that zoom, full screen, Previous and Next
always work the same way. Previous and Next go through all the run's results in order, including failed ones. If the
page was opened from History (`?in=<query>`), Previous and Next carry on into the other runs in that list.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from runs.display.provenance import Provenance, provenance_of
from runs.display.result_boxes import OutputBox, file_label, output_boxes, with_query
from runs.display.result_rows import ResultRows
from runs.display.run_page import is_live
from runs.display.verdicts import VerdictPanel, verdict_of
from runs.display.versions import Versions, versions_for
from runs.history.filters import Filter
from runs.history.order import outputs_beside
from runs.models import Member, Output, Run, StoredFile
from runs.words.run_states import RunState, state_of

VIEWERS = ("image", "video", "audio")
EAGER_BYTES = 8_000_000  # pictures up to this size load in full right away; larger ones only when somebody zooms in


@dataclass(frozen=True)
class Slide:
    """One item to show: a file of a result, or a result without files."""

    box: OutputBox
    output: Output
    file: StoredFile | None
    number: int  # number of the file within its result, from 1
    count: int
    url: str

    @property
    def label(self) -> str:
        return file_label(self.box.label, self.number, self.count)

    @property
    def alt(self) -> str:
        return file_label(self.box.alt, self.number, self.count)

    @property
    def has_content(self) -> bool:
        """Whether there is anything to look at. False if the result failed, was cancelled, couldn't be saved or was
        removed."""
        return self.kind not in ("error", "cancelled", "unsaved", "removed")

    @property
    def kind(self) -> str:
        """How to show the slide: as an image, video, audio, text, object or download. If there is no content, this is
        the state of the result's box."""
        if self.file is not None:
            return self.file.kind if self.file.kind in VIEWERS else "download"
        if self.box.state == "ready":
            return "object" if self.box.tree else "text" if self.box.text else "unknown"
        return self.box.state

    @property
    def icon(self) -> str:
        """The icon to show if there is no thumbnail."""
        if self.box.state in ("error", "unsaved", "removed", "cancelled"):
            return {"error": "failed", "unsaved": "partly", "removed": "trash"}.get(self.box.state, "cancelled")
        if self.kind == "object":
            return "list"
        kind = self.file.kind if self.file is not None else self.box.kind
        return kind if kind in (*VIEWERS, "text") else "file"

    @property
    def is_eager(self) -> bool:
        """Whether the full picture loads automatically. GIFs load on click, because they may be animated."""
        file = self.file
        return file is not None and file.size_bytes <= EAGER_BYTES and file.media_type != "image/gif"


@dataclass(frozen=True)
class Beside:
    """The page that Previous or Next opens; `picture` and `media` (video or audio) are URLs to preload."""

    url: str
    label: str
    picture: str = ""
    media: str = ""


@dataclass(frozen=True)
class ResultPage:
    """Everything shown on a result's page, as one member sees it."""

    run: Run
    state: RunState
    slide: Slide
    slides: list[Slide]
    position: int  # position of `slide` in `slides`, from 1
    previous: Beside | None
    next: Beside | None
    provenance: Provenance
    verdict: VerdictPanel
    is_live: bool
    run_url: str
    versions: Versions | None  # None if there is only one version
    next_url: str  # URL of the form for the next version; "" if the viewer can't make one
    selected_url: str  # URL of the viewer's list of selected results; "" if this result isn't one of them

    @property
    def place_words(self) -> str:
        if len(self.slides) == 1:
            return ""
        return _("%(position)s of %(count)s") % {"position": self.position, "count": len(self.slides)}


def result_page(
    rows: ResultRows, member: Member, public_id: str, number: int = 1, walk: str | None = None
) -> ResultPage:
    """Return the page for the result `public_id` in `rows`, showing its file `number`.

    `walk` is the query string of the History list that `member` came from, or None.
    """
    run = rows.run
    slides = list(_slides(run, walk))
    own = [n for n, slide in enumerate(slides) if slide.output.public_id == public_id]
    at = next((n for n in own if slides[n].number == number), own[0])
    slide = slides[at]
    previous = _beside(slides[at - 1]) if at else None
    following = _beside(slides[at + 1]) if at + 1 < len(slides) else None
    if walk is not None and (previous is None or following is None):
        neighbours = outputs_beside(slide.output, Filter.parse(walk), member)
        previous = previous or _elsewhere(neighbours.newer, walk)
        following = following or _elsewhere(neighbours.older, walk)
    verdict = verdict_of(slide.output, member, rows.around)
    return ResultPage(
        run=run,
        state=state_of(run),
        slide=slide,
        slides=slides,
        position=at + 1,
        previous=previous,
        next=following,
        provenance=provenance_of(run, slide.output, slide.file, [act.decision for act in verdict.standing]),
        verdict=verdict,
        is_live=slide.box.state in ("pending", "saving") and is_live(run),
        run_url=_url(run.get_absolute_url(), 1, walk),
        versions=versions_for(slide.output, rows.line, member),
        next_url=next_version_url(slide.output, member),
        selected_url=Filter(selected="1", view="results").url() if rows.is_selected else "",
    )


def next_version_url(output: Output, member: Member) -> str:
    """Return the URL of the form that makes the next version of a result; "" if `member` can't make one."""
    app, is_ready = output.run.app, output.status == Output.Status.COMPLETED
    is_offered = is_ready and app.is_runnable_by(member)
    return f"{app.get_absolute_url()}?next={output.public_id}" if is_offered else ""


def _beside(slide: Slide) -> Beside:
    picture = slide.file if slide.kind == "image" else None
    return Beside(slide.url, slide.label, (picture.large_url or picture.original_url) if picture else "")


def _elsewhere(output: Output | None, walk: str) -> Beside | None:
    """Return a link to `output`, a result of another run; None if `output` is None."""
    if output is None:
        return None
    label = _("%(result)s from %(run)s") % {
        "result": output.numbered_label or _("Result"),
        "run": output.run.display_title,
    }
    return Beside(_url(output.get_absolute_url(), 1, walk), label)


def slides_of(run: Run, output: Output) -> Iterator[Slide]:
    """Return the slides of `output`, a result of `run`; the run's results and inputs must already be loaded."""
    return (slide for slide in _slides(run, None) if slide.output.pk == output.pk)


def _slides(run: Run, walk: str | None) -> Iterator[Slide]:
    for output, box in zip(run.outputs.all(), output_boxes(run, is_swap=False), strict=True):
        files: list[StoredFile | None] = [*box.files] or [None]
        for number, file in enumerate(files, 1):
            yield Slide(box, output, file, number, len(files), _url(box.url, number, walk))


def _url(url: str, number: int, walk: str | None = None) -> str:
    return with_query(url, f"n={number}" if number > 1 else "", "" if walk is None else urlencode({"in": walk}))
