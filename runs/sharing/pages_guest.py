"""Data for the guest page. It reveals nothing about a run beyond what the sender chose.

Guests who may not download see pictures 1200 pixels wide. They get copies without metadata instead of originals
(`guest_copies`). Until the copies are ready, the page says so and refreshes itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.engine.input_summary import input_files, whole_text
from runs.models import GuestLink, Output, Run, RunInput, StoredFile
from runs.schema_forms.questions import shortened
from runs.schema_forms.results import how_many
from runs.sharing import guest_copies, guests, links
from runs.sharing.guest_copies import Given, State
from runs.sharing.guest_names import file_name, labels_of, still_name

STILL_WIDTH = 1200
REFRESH_SECONDS, REFRESH_LATER_SECONDS, REFRESH_LATE_SECONDS = 5, 20, 60
LABELS_TOLD = 3
AT_MOST_ALONE = 2  # up to this many results get the full width


@dataclass(frozen=True)
class GuestFile:
    """One saved file as a guest sees it.

    `label` identifies the file in its download link. `url` is the file or its largest picture; empty if there is
    nothing to show or play. `note` says why something is missing.
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
    state: State = State.NOT_NEEDED
    since: datetime | None = None

    @property
    def is_player(self) -> bool:
        return bool(self.url) and self.kind in guest_copies.PLAYED

    @property
    def is_waited_for(self) -> bool:
        return self.state in (State.PREPARING, State.LATE)

    @property
    def srcset(self) -> str:
        """Sizes of the picture for the browser to choose from; empty if there is only one."""
        if not self.small_url or not self.large_url:
            return ""
        sizes = [f"{self.small_url} 400w", f"{self.large_url} {STILL_WIDTH}w"]
        if self.url != self.large_url and (self.width or 0) > STILL_WIDTH:
            sizes.append(f"{self.url} {self.width}w")
        return ", ".join(sizes)


@dataclass(frozen=True)
class GuestResult:
    """One chosen result."""

    number: int
    label: str
    kind: str
    text: str
    files: list[GuestFile]


@dataclass(frozen=True)
class GuestInputFile:
    """An input file: its small picture, or just its name if there is no picture. Guests never get the file itself."""

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
    """Inputs of one run. If the link shows several runs, `results` names the results of this run."""

    results: str
    lines: list[GuestInput]


@dataclass(frozen=True)
class GuestPage:
    """Everything on the guest page."""

    sender: str
    audience: str
    message: str
    last_day: date
    title: str
    results: list[GuestResult]
    inputs: list[GuestInputs]
    app_names: list[str]
    download_url: str
    preview_url: str
    address: str = ""
    made_at: datetime = field(default_factory=timezone.now)

    @property
    def files(self) -> list[GuestFile]:
        return [file for result in self.results for file in result.files]

    @property
    def marked_app_names(self) -> SafeString:
        """The app names, with each one's text direction isolated."""
        return format_html_join(", ", "<bdi>{}</bdi>", ((name,) for name in self.app_names))

    @property
    def is_waiting(self) -> bool:
        """Whether some files are still being prepared."""
        return any(file.is_waited_for for file in self.files)

    @property
    def refresh_seconds(self) -> int:
        """Seconds until the page refreshes; 0 if it doesn't. A refresh never interrupts video or audio."""
        if not self.is_waiting or any(file.is_player for file in self.files):
            return 0
        preparing = [file for file in self.files if file.state is State.PREPARING]
        if not preparing:
            return REFRESH_LATE_SECONDS
        newest = max(file.since or self.made_at for file in preparing)
        return REFRESH_SECONDS if timezone.now() - newest < guest_copies.YOUNG else REFRESH_LATER_SECONDS

    @property
    def is_many(self) -> bool:
        """Whether a wide screen shows two results side by side. Texts take the full width and don't count."""
        return sum(not result.text for result in self.results) > AT_MOST_ALONE


class Addresses:
    """URLs of one link's page and files, including proof that the passphrase was given."""

    def __init__(self, link: GuestLink, token: str) -> None:
        self.link = link
        self.token = token
        self.proof = guests.proof_of(link)

    def file(self, stored: StoredFile, variant: str, *, is_download: bool = False) -> str:
        query = "&".join([*([f"p={self.proof}"] if self.proof else []), *(["download=1"] if is_download else [])])
        path = reverse("runs:guest-file", args=[self.token, stored.public_id, variant])
        return f"{path}?{query}" if query else path

    def all_files(self) -> str:
        return self._proven(reverse("runs:guest-download", args=[self.token]))

    def page(self) -> str:
        return self._proven(reverse("runs:guest", args=[self.token]))

    def _proven(self, path: str) -> str:
        return f"{path}?p={self.proof}" if self.proof else path


def guest_page(link: GuestLink, token: str) -> GuestPage:
    """Return the page of an open link; it has no results if none still exist."""
    outputs = guests.outputs_of(link)
    addresses = Addresses(link, token)
    results = _results(outputs, addresses)
    runs = guests.runs_with_inputs(outputs) if outputs and (link.shows_inputs or link.shows_app) else []
    has_picture = not link.passphrase and preview_of(outputs) is not None
    has_all = not any(file.is_waited_for for result in results for file in result.files)
    return GuestPage(
        sender=link.member.display_name,
        audience=link.audience,
        message=link.message,
        last_day=links.last_day_of(link),
        title=_("%(results)s from %(sender)s")
        % {"results": how_many([result.kind for result in results]), "sender": link.member.display_name},
        results=results,
        inputs=_all_inputs(runs, outputs, addresses) if link.shows_inputs else [],
        app_names=list(dict.fromkeys(run.app_name for run in runs)) if link.shows_app else [],
        download_url=addresses.all_files() if link.may_download and len(results) > 1 and has_all else "",
        preview_url=f"{settings.PORTAL_URL}{reverse('runs:guest-preview', args=[token])}" if has_picture else "",
        address=addresses.page(),
        made_at=link.created_at,
    )


def _results(outputs: list[Output], addresses: Addresses) -> list[GuestResult]:
    results = []
    for number, (output, label) in enumerate(zip(outputs, labels_of(outputs), strict=True), 1):
        files = [_file(f.file, label, f.position, addresses) for f in output.files.all() if f.file is not None]
        if len(files) > 1:
            files = [replace(file, label=_file_label(label, n)) for n, file in enumerate(files, 1)]
        results.append(GuestResult(number, label, output.kind, output.text, files))
    return results


def _file_label(label: str, number: int) -> str:
    return _("%(label)s, file %(number)s") % {"label": label, "number": number}


def _file(stored: StoredFile, label: str, position: int, addresses: Addresses) -> GuestFile:
    link = addresses.link
    given = guest_copies.given(link, stored)
    large = addresses.file(stored, str(STILL_WIDTH)) if stored.thumb_1200 else ""
    itself = addresses.file(stored, "original") if given.stored else ""
    still = large if stored.kind == StoredFile.Kind.IMAGE else ""
    has_still_alone = given.state is State.NOT_OFFERED and bool(large) and link.may_download
    download = addresses.file(stored, "original", is_download=True) if given.stored and link.may_download else ""
    return GuestFile(
        label=label,
        kind=stored.kind,
        name=still_name(label, position) if has_still_alone else file_name(label, position, stored),
        url=itself or still,
        small_url=addresses.file(stored, "400") if stored.thumb_400 else "",
        large_url=large,
        download_url=addresses.file(stored, str(STILL_WIDTH), is_download=True) if has_still_alone else download,
        media_type=stored.media_type,
        width=stored.width,
        height=stored.height,
        size_bytes=(given.stored or stored).size_bytes,
        colour=stored.colour,
        note=_note(link, stored, given),
        state=given.state,
        since=given.since,
    )


def _note(link: GuestLink, stored: StoredFile, given: Given) -> str:
    """Explain to guests why a file is missing or changed."""
    is_picture, sender = stored.kind == StoredFile.Kind.IMAGE, {"sender": link.member.display_name}
    is_shown_small = is_picture and bool(stored.thumb_1200)
    if given.state is State.PREPARING:
        if is_shown_small:
            return _("The full-size picture is being prepared and will be here in a moment.")
        return _("This file is being prepared and will be here in a moment.")
    if given.state is State.LATE:
        if is_shown_small:
            return _("Something went wrong while preparing the full-size picture. We'll try again; come back later.")
        return _("Something went wrong while preparing this file. We'll try again; come back later.")
    if given.state is State.NOT_OFFERED:
        if is_shown_small:
            return _("Only this smaller picture can be shared: the original has hidden details that can't be removed.")
        if stored.thumb_1200:
            return _("Only this still can be shared: the original has hidden details that can't be removed.")
        words = _("This file can't be shared: it has hidden details that can't be removed. Ask %(sender)s for it.")
        return words % sender
    if given.state is State.NOT_PLAYED:
        return _("This file can't be played here. Ask %(sender)s for it.") % sender
    return ""


def preview_of(outputs: list[Output]) -> StoredFile | None:
    """Return the first picture or video still, for chat tools that preview links."""
    files = (f.file for output in outputs for f in output.files.all())
    return next((stored for stored in files if stored is not None and stored.thumb_1200), None)


def _all_inputs(runs: list[Run], outputs: list[Output], addresses: Addresses) -> list[GuestInputs]:
    named: dict[int, list[str]] = {run.pk: [] for run in runs}
    for output, label in zip(outputs, labels_of(outputs), strict=True):
        named[output.run_id].append(label)
    found = [(_some(named[run.pk]), _inputs(run.inputs.all(), addresses)) for run in runs]
    return [GuestInputs(results if len(runs) > 1 else "", lines) for results, lines in found if lines]


def _some(labels: list[str]) -> str:
    """ "Front 1, Back 1, Side 1 and 9 more"."""
    more = len(labels) - LABELS_TOLD
    names = ", ".join(labels[:LABELS_TOLD])
    if more <= 0:
        return names
    return ngettext("%(names)s and %(more)s more", "%(names)s and %(more)s more", more) % {"names": names, "more": more}


def _inputs(inputs: Iterable[RunInput], addresses: Addresses) -> list[GuestInput]:
    lines = []
    for given in inputs:
        files = [
            _input_file(stored, shortened(given.name), i, addresses) for i, stored in enumerate(input_files(given))
        ]
        lines.append(GuestInput(shortened(given.name), "" if files else whole_text(given), files))
    return [line for line in lines if line.text or line.files]


def _input_file(stored: StoredFile, label: str, position: int, addresses: Addresses) -> GuestInputFile:
    small = addresses.file(stored, "400") if stored.thumb_400 else ""
    return GuestInputFile(file_name(label, position, stored), small, stored.width, stored.height)
