"""The strip with all versions of a result, on the result's page."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from runs.display.provenance import verdict_words
from runs.display.verdicts import VERDICT_ICONS
from runs.models import Member, Output, StoredFile
from runs.review.versions import seen_among


@dataclass(frozen=True)
class VersionLine:
    """One version in the strip."""

    number: int
    url: str
    file: StoredFile | None
    words: str  # the version's verdict, or its state if it isn't ready
    icon: str
    is_shown: bool  # whether it is the version on this page


@dataclass(frozen=True)
class Versions:
    """All versions of a result, starting with the first."""

    lines: list[VersionLine]
    compare_url: str  # URL that compares this version with the previous one; for the first version, with the second


def versions_for(output: Output, line: Sequence[Output], member: Member) -> Versions | None:
    """Return a strip with the versions of `output` (from `line`) that `member` may see; None if they may only see
    one."""
    visible = seen_among(line, member)
    if not visible:
        return None
    completed = [version for version in visible if version.status == Output.Status.COMPLETED]
    return Versions(
        lines=[_line(version, output) for version in visible],
        compare_url=_compare_url(completed, output),
    )


def _line(version: Output, current: Output) -> VersionLine:
    file = next((output_file.file for output_file in version.files.all() if output_file.file is not None), None)
    if version.status != Output.Status.COMPLETED:
        icon = "progress" if version.status == Output.Status.PENDING else "failed"
        words = str(Output.Status(version.status).label)
    else:
        icon, words = VERDICT_ICONS.get(version.verdict, ""), verdict_words(version.verdict)
    return VersionLine(version.number, version.get_absolute_url(), file, words, icon, version.pk == current.pk)


def _compare_url(completed: Sequence[Output], current: Output) -> str:
    """Return the URL that compares `current` with its neighbour; "" if there is no other finished version."""
    at = next((n for n, version in enumerate(completed) if version.pk == current.pk), None)
    if at is None or len(completed) < 2:
        return ""
    pair = completed[at - 1 : at + 1] if at else completed[:2]
    return f"{reverse('runs:compare')}?f={','.join(version.public_id for version in pair)}"
