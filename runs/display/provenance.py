"""Where a result comes from: app, inputs, sources, person, dates, cost and proof, in one place for page and sheet."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from django.utils.formats import number_format

from runs.engine.input_summary import InputLine, input_lines
from runs.models import Output, Run, StoredFile
from runs.storage.fetch import size_words
from runs.words.sentences import about_credits, clock_words

UNKNOWN = "Unknown"  # who made a run that was handed over before this was written down
NOUNS = {"image": "picture", "video": "video", "audio": "sound", "text": "text", "other": "file"}


@dataclass(frozen=True)
class Provenance:
    """What stands behind one result. FACTS are of the file shown, REFERENCES are what Lamina calls it."""

    app_name: str
    inputs: list[InputLine]
    maker: str
    pressed_at: datetime
    finished_at: datetime | None
    credits_words: str
    facts: list[tuple[str, str]]
    references: list[tuple[str, str]]
    sha256: str


def provenance_of(run: Run, output: Output, file: StoredFile | None) -> Provenance:
    """The provenance of FILE in OUTPUT, of a run fetched with `for_page()`."""
    return Provenance(
        app_name=run.app_name,
        inputs=input_lines(run),
        maker=run.made_by.display_name if run.made_by else UNKNOWN,
        pressed_at=run.created_at,
        finished_at=run.finished_at,
        credits_words=about_credits(run.credits_estimated),
        facts=file_facts(file) if file else text_facts(output),
        references=references_of(run, output),
        sha256=file.sha256 if file else "",
    )


def references_of(run: Run, output: Output) -> list[tuple[str, str]]:
    """Lamina's own names for run, app and result, as far as they are known."""
    named = [("Run", run.remote_id), ("App", run.app.remote_id), ("Result", output.remote_id)]
    return [(word, reference) for word, reference in named if reference]


def file_facts(file: StoredFile) -> list[tuple[str, str]]:
    """Kind, measures, length and size."""
    extension = PurePosixPath(file.file.name or "").suffix[1:].upper()
    facts = [("Kind", f"{extension} {NOUNS.get(file.kind, 'file')}".strip())]
    if file.width and file.height:
        facts.append(("Measures", f"{file.width} × {file.height} pixels"))  # noqa: RUF001 - the sign itself
    if file.duration_seconds:
        facts.append(("Length", clock_words(timedelta(seconds=round(file.duration_seconds)))))
    return [*facts, ("Size", size_words(file.size_bytes))]


def text_facts(output: Output) -> list[tuple[str, str]]:
    """Kind and length of a text."""
    if not output.text:
        return []
    words, letters = len(output.text.split()), len(output.text)
    counted = f"{number_format(words, force_grouping=True)} {'word' if words == 1 else 'words'}"
    return [("Kind", "Text"), ("Length", f"{counted}, {number_format(letters, force_grouping=True)} characters")]
