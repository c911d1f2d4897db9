"""What the guest's page shows, made ready for templates: nothing in it tells of the run beyond what was chosen.

Without leave to download, pictures are shown 1200 pixels wide: what a maker wrote into the original's own metadata
stays here.
"""

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.urls import reverse

from runs.models import GuestLink, Output, Run, StoredFile
from runs.schema_forms.questions import shortened
from runs.schema_forms.results import how_many
from runs.services import sharing
from runs.services.guest_links import guests
from runs.services.guest_links.guest_names import file_name, labels_of
from runs.services.pages.cards import input_files, whole_text

MOVING = ("image/gif", "image/apng")  # their small pictures stand still
STILL_WIDTH = 1200
LABELS_TOLD = 3
AT_MOST_ALONE = 2  # so many each get the screen for themselves


@dataclass(frozen=True)
class GuestFile:
    """One kept file as a guest sees it."""

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


@dataclass(frozen=True)
class GuestResult:
    """One chosen result."""

    number: int
    label: str
    kind: str
    text: str
    files: list[GuestFile]


@dataclass(frozen=True)
class GuestInput:
    """One thing that went in, shown only when the sender says so."""

    label: str
    text: str
    files: list[GuestFile]


@dataclass(frozen=True)
class GuestInputs:
    """What went into one run; RESULTS names those of them the link shows, empty when all are of one run."""

    results: str
    lines: list[GuestInput]


@dataclass(frozen=True)
class GuestPage:
    """All of the page."""

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

    @property
    def is_many(self) -> bool:
        """Whether a wide screen shows two beside each other; texts take its whole width and do not count."""
        return sum(not result.text for result in self.results) > AT_MOST_ALONE


class Addresses:
    """Addresses of one link's files; they carry the proof of the passphrase."""

    def __init__(self, link: GuestLink, token: str) -> None:
        self.link = link
        self.token = token
        self.proof = guests.proof_of(link)

    def file(self, stored: StoredFile, variant: str, *, is_download: bool = False) -> str:
        query = "&".join([*([f"p={self.proof}"] if self.proof else []), *(["download=1"] if is_download else [])])
        path = reverse("runs:guest-file", args=[self.token, stored.public_id, variant])
        return f"{path}?{query}" if query else path

    def all_files(self) -> str:
        path = reverse("runs:guest-download", args=[self.token])
        return f"{path}?p={self.proof}" if self.proof else path


def guest_page(link: GuestLink, token: str) -> GuestPage:
    """The page of an open link; without results when all were taken back."""
    outputs = guests.outputs_of(link)
    addresses = Addresses(link, token)
    results = _results(outputs, addresses)
    runs = guests.runs_with_inputs(outputs) if outputs and (link.shows_inputs or link.shows_app) else []
    has_picture = not link.passphrase and preview_of(outputs) is not None
    return GuestPage(
        sender=link.member.display_name,
        audience=link.audience,
        message=link.message,
        last_day=sharing.last_day_of(link),
        title=f"{how_many([result.kind for result in results])} from {link.member.display_name}",
        results=results,
        inputs=_all_inputs(runs, outputs, addresses) if link.shows_inputs else [],
        app_names=list(dict.fromkeys(run.app_name for run in runs)) if link.shows_app else [],
        download_url=addresses.all_files() if link.may_download and len(results) > 1 else "",
        preview_url=f"{settings.PORTAL_URL}{reverse('runs:guest-preview', args=[token])}" if has_picture else "",
    )


def _results(outputs: list[Output], addresses: Addresses) -> list[GuestResult]:
    results = []
    for number, (output, label) in enumerate(zip(outputs, labels_of(outputs), strict=True), 1):
        files = [_file(f.file, label, f.position, addresses) for f in output.files.all() if f.file is not None]
        results.append(GuestResult(number, label, output.kind, output.text, files))
    return results


def _file(stored: StoredFile, label: str, position: int, addresses: Addresses) -> GuestFile:
    may_download = addresses.link.may_download
    original = addresses.file(stored, "original")
    large = addresses.file(stored, str(STILL_WIDTH)) if stored.thumb_1200 else ""
    return GuestFile(
        kind=stored.kind,
        name=file_name(label, position, stored),
        url=original if shows_original(addresses.link, stored) else large,
        small_url=addresses.file(stored, "400") if stored.thumb_400 else "",
        large_url=large,
        download_url=addresses.file(stored, "original", is_download=True) if may_download else "",
        media_type=stored.media_type,
        width=stored.width,
        height=stored.height,
        size_bytes=stored.size_bytes,
        colour=stored.colour,
    )


def shows_original(link: GuestLink, stored: StoredFile) -> bool:
    """Whether guests get the file itself: to download, to play, or because there is no still picture of it."""
    if stored.kind == StoredFile.Kind.IMAGE:
        return link.may_download or not stored.thumb_1200 or stored.media_type in MOVING
    return link.may_download or stored.kind in (StoredFile.Kind.VIDEO, StoredFile.Kind.AUDIO)


def preview_of(outputs: list[Output]) -> StoredFile | None:
    """The first picture or film still, for chat tools that show one beside the address."""
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
    return f"{', '.join(labels[:LABELS_TOLD])} and {more} more" if more > 0 else ", ".join(labels)


def _inputs(inputs: object, addresses: Addresses) -> list[GuestInput]:
    lines = []
    for given in inputs:  # type: ignore[attr-defined]
        files = [_file(stored, shortened(given.name), i, addresses) for i, stored in enumerate(input_files(given))]
        lines.append(GuestInput(shortened(given.name), "" if files else whole_text(given), files))
    return [line for line in lines if line.text or line.files]
