"""Data for the guest page. The page reveals nothing about a run beyond what the sender chose to show.

Guests who aren't allowed to download files see images that are 1200 pixels wide. Guests get copies without metadata
instead of originals (`guest_copies`). Until the copies are ready, the page says so and keeps refreshing itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from runs.display.json_results import FileNames, Tree, tree_of
from runs.engine.input_summary import input_files, whole_text
from runs.models import GuestLink, Output, Run, RunInput, StoredFile
from runs.schema_forms.questions import shortened
from runs.schema_forms.results import how_many
from runs.sharing import guest_copies, guests, links
from runs.sharing.guest_addresses import Addresses, hidden_fields
from runs.sharing.guest_copies import CopyState, FileToSend
from runs.sharing.guest_names import input_name, some_names, text_name
from runs.sharing.pages_guest_answers import AnswerBox, Answers, Visit, answers_of_page, boxes_of
from runs.words.file_names import Stem, ending_of
from runs.words.numbers import number_words
from runs.words.sizes import files_words

STILL_WIDTH = 1200
REFRESH_SECONDS, REFRESH_LATER_SECONDS, REFRESH_LATE_SECONDS = 5, 20, 60
FIRST_VISIT = Visit()
AT_MOST_ALONE = 2  # up to this many results are shown at full width


@dataclass(frozen=True)
class GuestFile:
    """One saved file as a guest sees it.

    `label` identifies the file in its download link. `url` is the URL of the file or of its largest thumbnail; empty if
    there is nothing to show or play. `note` says why something is missing.
    """

    label: str
    kind: str
    name: str
    url: str
    small_url: str
    large_url: str
    download_url: str
    media_type: str
    width: int | None
    height: int | None
    size_bytes: int
    colour: str
    note: str = ""
    state: CopyState = CopyState.NOT_NEEDED
    since: datetime | None = None
    position: int = 0  # its position within the result

    @property
    def is_picture(self) -> bool:
        return bool(self.url) and self.kind == StoredFile.Kind.IMAGE

    @property
    def is_still(self) -> bool:
        """Whether only the first frame of a video can be shown."""
        return not self.url and bool(self.large_url) and self.kind == StoredFile.Kind.VIDEO

    @property
    def is_player(self) -> bool:
        return bool(self.url) and self.kind in guest_copies.PLAYED

    @property
    def is_waited_for(self) -> bool:
        return self.state in (CopyState.PREPARING, CopyState.LATE)

    @property
    def srcset(self) -> str:
        """Image sizes for the browser to choose from; empty if there is only one."""
        if not self.small_url or not self.large_url:
            return ""
        sizes = [f"{self.small_url} 400w", f"{self.large_url} {STILL_WIDTH}w"]
        if self.url != self.large_url and (self.width or 0) > STILL_WIDTH:
            sizes.append(f"{self.url} {self.width}w")
        return ", ".join(sizes)


@dataclass(frozen=True)
class GuestResult:
    """One result that the link shows. If the link allows downloads, `text_url` downloads the result's text as
    `text_name`."""

    number: int
    label: str
    version: int
    description: str
    kind: str
    text: str
    files: list[GuestFile]
    tree: Tree | None = None  # set if the text is a structured value
    box: AnswerBox | None = None  # where guests answer, if the link allows answers
    text_url: str = ""
    text_name: str = ""


@dataclass(frozen=True)
class GuestInputFile:
    """An input file: its thumbnail, or just its name if it has none. Guests never get the file itself."""

    name: str
    small_url: str
    width: int | None
    height: int | None


@dataclass(frozen=True)
class GuestInput:
    """One input, shown only if the sender allows it."""

    label: str
    text: str
    files: list[GuestInputFile]


@dataclass(frozen=True)
class GuestInputs:
    """The inputs of one run. If the link shows several runs, `results` names the results of this one."""

    results: str
    lines: list[GuestInput]


@dataclass(frozen=True)
class GuestPage:
    """Everything that the guest page shows."""

    sender: str
    audience: str
    message: str
    last_day: date
    title: str
    results: list[GuestResult]
    inputs: list[GuestInputs]
    app_names: list[str]
    download_url: str
    download_words: str
    preview_url: str
    place_words: str  # such as "49 to 96 of 2,000"; "" if there is only one page
    previous_number: int  # 0 if this is the first page
    next_number: int  # 0 if this is the last page
    answers: Answers
    url: str
    number: int
    fields: list[tuple[str, str]]  # hidden fields of every form on the page
    can_refresh: bool  # whether the page's address alone brings it back
    made_at: datetime = field(default_factory=timezone.now)

    @property
    def files(self) -> list[GuestFile]:
        return [file for result in self.results for file in result.files]

    @property
    def marked_app_names(self) -> SafeString:
        """The app names as HTML; each keeps its own text direction."""
        return format_html_join(", ", "<bdi>{}</bdi>", ((name,) for name in self.app_names))

    @property
    def is_waiting(self) -> bool:
        """Whether some files are still being prepared."""
        return any(file.is_waited_for for file in self.files)

    @property
    def has_boxes(self) -> bool:
        """Whether guests can type something on this page."""
        return any(result.box and result.box.may_write for result in self.results)

    @property
    def refresh_seconds(self) -> int:
        """Seconds until the page refreshes; 0 if it doesn't. A refresh never interrupts video or audio, and never
        discards what a guest is typing. It sends no form, so it can't bring back a page that needs one."""
        if not self.is_waiting or not self.can_refresh or self.has_boxes or any(file.is_player for file in self.files):
            return 0
        preparing = [file for file in self.files if file.state is CopyState.PREPARING]
        if not preparing:
            return REFRESH_LATE_SECONDS
        newest = max(file.since or self.made_at for file in preparing)
        return REFRESH_SECONDS if timezone.now() - newest < guest_copies.YOUNG else REFRESH_LATER_SECONDS

    @property
    def refresh_url(self) -> str:
        return f"{self.url}?page={self.number}" if self.number > 1 else self.url

    @property
    def is_many(self) -> bool:
        """Whether a wide screen shows two results side by side. Text results don't count, because they take up the full
        width."""
        return bool(self.place_words) or sum(not result.text for result in self.results) > AT_MOST_ALONE


def guest_page(link: GuestLink, token: str, visit: Visit = FIRST_VISIT) -> GuestPage:
    """Return a page of an open link. The page is empty if none of the link's results exist any more."""
    labels = guests.named_outputs(link)
    page = Paginator(list(labels), guests.PER_PAGE).get_page(visit.form.page)
    outputs = guests.outputs_of(link, [output.pk for output in page])
    addresses = Addresses(link, token)
    boxes = boxes_of(outputs, labels, page.start_index(), addresses, visit)
    results = _results(outputs, labels, page.start_index(), addresses, boxes)
    runs = guests.runs_with_inputs(outputs) if outputs and link.shows_inputs else []
    has_picture = not link.passphrase and guests.preview_of(link) is not None
    has_download = link.may_download and len(labels) > 1
    has_all = has_download and guest_copies.are_prepared(GuestLink.objects.filter(pk=link.pk))
    return GuestPage(
        sender=link.member.display_name,
        audience=link.audience,
        message=link.message,
        last_day=links.last_day_of(link),
        title=_("%(results)s from %(sender)s")
        % {"results": how_many([output.kind for output in labels]), "sender": link.member.display_name},
        results=results,
        inputs=_all_inputs(runs, outputs, labels, addresses),
        app_names=guests.app_names(labels) if link.shows_app else [],
        download_url=addresses.all_files() if has_all else "",
        download_words=files_words(*guests.size_of(link)) if has_all else "",
        preview_url=f"{settings.PORTAL_URL}{reverse('runs:guest-preview', args=[token])}" if has_picture else "",
        place_words=_place_words(page) if page.has_other_pages() else "",
        previous_number=page.previous_page_number() if page.has_previous() else 0,
        next_number=page.next_page_number() if page.has_next() else 0,
        answers=answers_of_page(link, list(labels), visit, boxes),
        url=addresses.page(),
        number=page.number,
        fields=hidden_fields(link, visit.guest, visit.addressee, page.number),
        can_refresh=not (link.passphrase or visit.guest or visit.addressee),
        made_at=link.created_at,
    )


def _place_words(page: Page[Output]) -> str:
    values = {"first": page.start_index(), "last": page.end_index(), "count": page.paginator.count}
    words = _("%(first)s to %(last)s of %(count)s")
    return words % {name: number_words(number) for name, number in values.items()}


def _results(
    outputs: list[Output], labels: dict[Output, str], first: int, addresses: Addresses, boxes: dict[str, AnswerBox]
) -> list[GuestResult]:
    """Return `outputs` as the page shows them, with their names, numbered from `first`."""
    results = []
    stems_of = guests.stems_by_result(addresses.link)
    for number, output in enumerate(outputs, first):
        label, stems = labels[output], stems_of[output.pk]
        files = files_of(output, label, stems, addresses)
        tree, box = guest_tree(output, stems), boxes.get(output.public_id)
        text_url = addresses.text(output) if output.text and addresses.link.may_download else ""
        text = (text_url, text_name(stems))
        content = (output.description, output.kind, output.text, files, tree)
        results.append(GuestResult(number, label, output.number, *content, box, *text))
    return results


def files_of(output: Output, label: str, stems: list[Stem], addresses: Addresses) -> list[GuestFile]:
    """Return the saved files of a result; if there are several, their labels are numbered."""
    output_files = [output_file for output_file in output.files.all() if output_file.file is not None]
    files = [
        replace(_file(output_file.file, label, stems[output_file.position], addresses), position=output_file.position)
        for output_file in output_files
        if output_file.file is not None
    ]
    return [replace(file, label=_file_label(label, n)) for n, file in enumerate(files, 1)] if len(files) > 1 else files


def guest_tree(output: Output, stems: list[Stem]) -> Tree | None:
    """Return the tree for a structured result, without Lamina URLs; None if the result isn't structured."""
    output_files = [f for f in output.files.all() if f.file is not None]
    names = {f.source_url: stems[f.position].named(ending_of(f.file)) for f in output_files if f.file is not None}
    return tree_of(output, FileNames(names, other=_("a file that isn't shared")))


def text_bytes(output: Output, stems: list[Stem]) -> bytes:
    """Return a result's text the way guests download it. A structured result is written out as lines, without Lamina
    URLs."""
    tree = guest_tree(output, stems)
    return (tree.plain if tree else output.text).encode("utf-8", "replace")


def _file_label(label: str, number: int) -> str:
    return _("%(label)s, file %(number)s") % {"label": label, "number": number}


def _file(stored: StoredFile, label: str, stem: Stem, addresses: Addresses) -> GuestFile:
    link = addresses.link
    copy = guest_copies.file_to_send(link, stored)
    large = addresses.file(stored, str(STILL_WIDTH)) if stored.thumb_1200 else ""
    itself = addresses.file(stored, "original") if copy.stored else ""
    still = large if stored.kind == StoredFile.Kind.IMAGE else ""
    has_still_alone = copy.state is CopyState.NOT_OFFERED and bool(large) and link.may_download
    download = addresses.file(stored, "original", is_download=True) if copy.stored and link.may_download else ""
    return GuestFile(
        label=label,
        kind=stored.kind,
        name=stem.named("webp" if has_still_alone else ending_of(stored)),
        url=itself or still,
        small_url=addresses.file(stored, "400") if stored.thumb_400 else "",
        large_url=large,
        download_url=addresses.file(stored, str(STILL_WIDTH), is_download=True) if has_still_alone else download,
        media_type=stored.media_type,
        width=stored.width,
        height=stored.height,
        size_bytes=(copy.stored or stored).size_bytes,
        colour=stored.colour,
        note=_note(link, stored, copy),
        state=copy.state,
        since=copy.since,
    )


def _note(link: GuestLink, stored: StoredFile, copy: FileToSend) -> str:
    """Explain to guests why a file is missing or changed."""
    is_picture, sender = stored.kind == StoredFile.Kind.IMAGE, {"sender": link.member.display_name}
    is_shown_small = is_picture and bool(stored.thumb_1200)
    if copy.state is CopyState.PREPARING:
        if is_shown_small:
            return _("The full-size picture is being prepared and will be here in a moment.")
        return _("This file is being prepared and will be here in a moment.")
    if copy.state is CopyState.LATE:
        if is_shown_small:
            return _(
                "Something went wrong while preparing the full-size picture. We'll try again, so check back later."
            )
        return _("Something went wrong while preparing this file. We'll try again, so check back later.")
    if copy.state is CopyState.NOT_OFFERED:
        if is_shown_small:
            return _("Only this smaller picture can be shared: the original has hidden details that can't be removed.")
        if stored.thumb_1200:
            return _("Only this still image can be shared: the original has hidden details that can't be removed.")
        words = _("This file can't be shared: it has hidden details that can't be removed. Ask %(sender)s for it.")
        return words % sender
    if copy.state is CopyState.NOT_PLAYED:
        return _("This file can't be played here. Ask %(sender)s for it.") % sender
    return ""


def _all_inputs(
    runs: list[Run], outputs: list[Output], label_of: dict[Output, str], addresses: Addresses
) -> list[GuestInputs]:
    """Return the inputs of `runs`, which made the `outputs` on this page."""
    labels: dict[int, list[str]] = {run.pk: [] for run in runs}
    for output in outputs if runs else []:
        labels[output.run_id].append(label_of[output])
    inputs = [(some_names(labels[run.pk]), _inputs(run.inputs.all(), addresses)) for run in runs]
    return [GuestInputs(results if len(runs) > 1 else "", lines) for results, lines in inputs if lines]


def _inputs(inputs: Iterable[RunInput], addresses: Addresses) -> list[GuestInput]:
    lines = []
    for run_input in inputs:
        files = [
            _input_file(stored, input_name(run_input, i, stored), addresses)
            for i, stored in enumerate(input_files(run_input))
        ]
        lines.append(GuestInput(shortened(run_input.name), "" if files else whole_text(run_input), files))
    return [line for line in lines if line.text or line.files]


def _input_file(stored: StoredFile, name: str, addresses: Addresses) -> GuestInputFile:
    small = addresses.file(stored, "400") if stored.thumb_400 else ""
    return GuestInputFile(name, small, stored.width, stored.height)
