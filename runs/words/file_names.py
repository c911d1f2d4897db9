"""Names for downloads: title or app, label, number and date, such as `oak-desk_front_2_2026-11-25.png`.

All names are built here, so a result has the same name whether it is downloaded by itself or in a zip. Names are at
most 120 bytes long and work in any file system: they have no spaces, control characters or invisible characters.
Because they end in a date, they never clash with names that Windows reserves, such as `con.png`.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import PurePosixPath

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from runs.models import Output, OutputFile, Run, StoredFile
from runs.words.moments import portal_day

MOST_BYTES = 120
ENDING_BYTES = len(".jpeg2000")
READ_LENGTH = 200  # how many characters of a title or label are used
WORDS_BYTES = MOST_BYTES - ENDING_BYTES - len("_250000_2026-11-25")  # bytes available for the title and label
APOSTROPHES = re.compile("['’ʼ`´]")  # noqa: RUF001 - all kinds are meant
# Invisible letters and marks, such as emoji variation selectors.
IGNORED = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


# A name as `Stem` and `archive_name` build it; browsers add "(1)" if they already have a file with that name.
NAME = re.compile(r"([^_]+(?:_[^_]+?)?)(?:_\d{1,6})?_(\d{4}-\d\d-\d\d)(?: ?\(\d+\))?(?:\.(\w{2,8}))?")


@dataclass(frozen=True)
class FileName:
    """A file name taken apart. `words` are the title and label, joined by "_"; just the title for a zip."""

    words: str
    day: date
    is_zip: bool


@dataclass(frozen=True)
class ResultName:
    """The parts of one result's file names, and how many files it has."""

    title: str
    label: str
    made_at: datetime
    files: int = 1


@dataclass(frozen=True)
class Stem:
    """A file name without its extension. `words` are the title and label; the first file has no number."""

    words: str
    day: str
    number: int = 1

    def __str__(self) -> str:
        return f"{self.words}{f'_{self.number}' if self.number > 1 else ''}_{self.day}"

    def named(self, ending: str) -> str:
        return f"{self}.{ending}"


class UsedNames:
    """Names already used in one run, link or zip, where no two names may differ only in case."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], set[int]] = {}
        self._highest: Counter[tuple[str, str]] = Counter()

    def free(self, stem: Stem) -> Stem:
        """Return `stem`, with a different number if it is already taken. The returned stem counts as taken from then
        on."""
        words = (stem.words.casefold(), stem.day)
        numbers = self._numbers.setdefault(words, set())
        number = self._highest[words] + 1 if stem.number in numbers else stem.number
        numbers.add(number)
        self._highest[words] = max(self._highest[words], number)
        return Stem(stem.words, stem.day, number)


def parsed_name(text: str) -> FileName | None:
    """Return the parts of a file name that this module has built; None if `text` isn't such a name."""
    if not (match := NAME.fullmatch(unicodedata.normalize("NFKC", text).strip().lower())):
        return None
    words, day, ending = match.groups()
    try:
        return FileName(words, date.fromisoformat(day), ending == "zip" or "_" not in words)
    except ValueError:  # there is no such day
        return None


def stems_of(results: Iterable[ResultName]) -> list[list[Stem]]:
    """Return unique stems for the files of each result, in order. A result's text uses its first stem."""
    used_names = UsedNames()
    result_stems = ((_stem(result), max(1, result.files)) for result in results)
    return [[used_names.free(stem) for _number in range(files)] for stem, files in result_stems]


def run_stems(run: Run, outputs: Iterable[Output]) -> list[list[Stem]]:
    """Return the stems for all `outputs` of `run`; their files should be prefetched."""
    title = title_of(run)
    return stems_of(ResultName(title, output.label, run.created_at, count_of(output)) for output in outputs)


def file_name(output_file: OutputFile, ending: str) -> str:
    """Return the download name of one file of a result."""
    return stem_in_run(output_file.output, output_file.position).named(ending)


def stem_in_run(output: Output, position: int = 0) -> Stem:
    """Return the stem for the file at `position` of `output`, or for its text."""
    positions = Prefetch("files", OutputFile.objects.only("output_id", "position"))
    outputs = list(Output.objects.filter(run=output.run_id).only("label").prefetch_related(positions))
    stems = run_stems(output.run, outputs)
    return stems[[one.pk for one in outputs].index(output.pk)][position]


def count_of(output: Output) -> int:
    """Return how many files `output` has, including any that aren't saved, so that file numbers never change."""
    return max((file.position for file in output.files.all()), default=0) + 1


def title_of(run: Run) -> str:
    return run.title if slug(run.title) else run.app_name


def archive_name(title: str, made_at: datetime) -> str:
    """Return the name of a zip: the title or app, and the date."""
    return f"{_cut(slug(title), WORDS_BYTES) or 'lamina-portal'}_{day_of(made_at)}.zip"


def ending_of(stored: StoredFile) -> str:
    """Return the extension that fits the file's type, without the dot."""
    return PurePosixPath(stored.file.name or "").suffix[1:] or "bin"


def slug(words: str) -> str:
    """Return `words` in lower case, joined by hyphens; works in any script. Underscores also become hyphens, because
    they separate the parts of a file name."""
    return _slug(words[:READ_LENGTH])


@lru_cache(maxsize=1_000)
def _slug(words: str) -> str:
    result = ""
    for sign in IGNORED.sub("", APOSTROPHES.sub("", unicodedata.normalize("NFKC", words)).lower()):
        category = unicodedata.category(sign)
        # Vowel signs and accents belong to the letter before them; by themselves, they would be invisible or broken.
        is_part = category[0] in "LN" or (category in ("Mn", "Mc") and result[-1:] not in ("", "-"))
        result += sign if is_part else "" if category == "Cf" else "-"
    return re.sub("-+", "-", result).strip("-")


def _stem(result: ResultName) -> Stem:
    """Build the stem without a number. If the title and the label don't both fit, each gets at least half the space."""
    title, label = slug(result.title) or "lamina", slug(result.label) or slug(_("Result"))
    room = WORDS_BYTES - len("_")
    title = _cut(title, max(room // 2, room - len(label.encode())))
    return Stem(f"{title}_{_cut(label, room - len(title.encode()))}", day_of(result.made_at))


def _cut(words: str, most_bytes: int) -> str:
    return words.encode()[:most_bytes].decode(errors="ignore").rstrip("-")


def day_of(at: datetime) -> str:
    """Return the date in the portal's time zone, so that everyone gets the same file name."""
    return f"{portal_day(at):%Y-%m-%d}"
