"""Prepares a run's inputs for its card, its page and search."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from django.db import transaction
from django.db.models import Prefetch
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from runs.models import Member, Run, RunInput, StoredFile, Upload
from runs.models.run import RunInputUpload
from runs.schema_forms.questions import shortened
from runs.words.fold import fold
from runs.words.run_index import index_runs

INPUTS_PER_CARD = 3  # one more than a card lists, because the title may already show the first input
CHANGED_PER_CARD = 3  # for the same reason
SEARCH_TEXT = 20_000  # characters
SAMPLE = gettext_noop("the app's sample")  # stored in English, translated when read


@dataclass(frozen=True)
class InputLine:
    """One input of a run, as people see it."""

    label: str
    text: str
    files: list[StoredFile]
    is_default: bool
    is_hidden: bool = False  # shown only to admins


def input_lines(run: Run, viewer: Member | None = None) -> list[InputLine]:
    """Return the inputs of a run fetched with `for_page()` that `viewer` may see; without a `viewer`, those that aren't
    hidden."""
    inputs = open_inputs(run) if viewer is None else [one for one in run.inputs.all() if one.is_shown_to(viewer)]
    return [InputLine(shortened(g.name), whole_text(g), input_files(g), g.is_default, g.is_hidden) for g in inputs]


def open_inputs(run: Run) -> list[RunInput]:
    """Return the inputs of `run` that aren't hidden."""
    return [run_input for run_input in run.inputs.all() if not run_input.is_hidden]


def _shown_inputs(run: int) -> list[RunInput]:
    """Return the inputs of the run with the primary key `run` that aren't hidden, with their files."""
    links = RunInputUpload.objects.select_related("upload__file")
    return list(RunInput.objects.filter(run_id=run, is_hidden=False).prefetch_related(Prefetch("links", links)))


@transaction.atomic
def summarise(run: Run) -> None:
    """Store the inputs to show on the card of `run`, and the run's searchable text. Hidden inputs are left out. If the
    run was started from another run, inputs that differ from that run's are marked, because they tell the two apart.

    This is called again when linked files arrive and when the title changes. Both may happen at the same time, so this
    locks the run and reads its title again.
    """
    run.title = Run.objects.select_for_update().values_list("title", flat=True).get(pk=run.pk)
    inputs = _shown_inputs(run.pk)
    with_text = [run_input for run_input in inputs if _stored_text(run_input)]
    # Inputs that a person chose say more than defaults, so they come first.
    with_text.sort(key=lambda run_input: (run_input.is_default, run_input.position))
    changed = _changed(inputs, run.parent_id)
    on_card = dict.fromkeys([*with_text[:INPUTS_PER_CARD], *changed[:CHANGED_PER_CARD]])
    run.summary = [_summary_line(run_input, is_changed=run_input in changed) for run_input in on_card]
    run.input_picture = next((f for run_input in inputs for f in input_files(run_input) if f.kind == "image"), None)
    run.search_text = fold("\n".join(_words(run, inputs)))[:SEARCH_TEXT]
    told_fields = {"summary": run.summary, "input_picture": run.input_picture, "search_text": run.search_text}
    Run.objects.filter(pk=run.pk).update(**told_fields)
    index_runs([run])


def _summary_line(run_input: RunInput, *, is_changed: bool) -> dict[str, object]:
    line = {"name": run_input.name[:100], "text": _stored_text(run_input)[:200], "type": run_input.type}
    return line | ({"is_changed": True} if is_changed else {})


def _changed(inputs: list[RunInput], parent_id: int | None) -> list[RunInput]:
    """Return those of `inputs` that had a different value in the run whose primary key is `parent_id`."""
    if parent_id is None:
        return []
    return [one for one, old in _pairs(inputs, _shown_inputs(parent_id)) if not _is_same_input(one, old)]


def _pairs(inputs: list[RunInput], earlier: list[RunInput]) -> Iterator[tuple[RunInput, RunInput]]:
    """Pair each input with the same input in the earlier run: first by name, key and id, because an app may repeat
    names; then without the id, which may be different in a new version of the app."""
    left = list(inputs)
    for names in (("name", "key", "parameter_id"), ("name", "key")):
        handles = attrgetter(*names)
        for run_input in list(left):
            if old := next((one for one in earlier if handles(one) == handles(run_input)), None):
                left.remove(run_input)
                earlier.remove(old)
                yield run_input, old


def _is_same_input(run_input: RunInput, other: RunInput) -> bool:
    """Return whether both inputs have the same text or the same files. Files are compared by content, because the same
    file may be uploaded again under another name. If a file hasn't arrived yet or has been removed, file names are
    compared instead."""
    files = [[upload.file for upload in ordered_uploads(one)] for one in (run_input, other)]
    if all(files) and not any(None in some for some in files):
        first, second = ([file.sha256 for file in some if file] for some in files)
        return first == second
    return _stored_text(run_input) == _stored_text(other)


def _words(run: Run, inputs: list[RunInput]) -> Iterator[str]:
    """Yield the title, the app, all answers and the file names.

    People's names are looked up at search time instead, so that old runs can be found by a new name right away.
    """
    yield from (run.title, run.app_name)
    for run_input in inputs:
        if isinstance(run_input.value, str):
            yield run_input.value
        yield from (upload.name for upload in ordered_uploads(run_input))


def input_files(run_input: RunInput) -> list[StoredFile]:
    """Return the files given for a `url` parameter, in order."""
    return [upload.file for upload in ordered_uploads(run_input) if upload.file is not None]


def ordered_uploads(run_input: RunInput) -> list[Upload]:
    return [link.upload for link in run_input.links.all()]


def input_text(run_input: RunInput) -> str:
    """Return the input as one line."""
    return _translated(run_input.type, _stored_text(run_input))


def summary_text(line: dict[str, str]) -> str:
    """Return the text of one line of `Run.summary`; "(empty)" if someone cleared the input."""
    return _translated(line["type"], line["text"]) or _("(empty)")


def _translated(kind: str, stored: str) -> str:
    return _(SAMPLE) if kind == "url" and stored == SAMPLE else stored


def _stored_text(run_input: RunInput) -> str:
    """Return the input as one line of text that is the same in every language."""
    if run_input.type == "url":
        names = [upload.name for upload in ordered_uploads(run_input)]
        return ", ".join(names) or (SAMPLE if run_input.value else "")
    if isinstance(run_input.value, str):
        return " ".join(run_input.value.split())
    return "" if run_input.value in (None, [], {}) else str(run_input.value)


def whole_text(run_input: RunInput) -> str:
    """Return the full text of the input, including line breaks; a chosen option is shortened as in the form."""
    if not isinstance(run_input.value, str) or run_input.type == "url":
        return input_text(run_input)
    return shortened(run_input.value) if run_input.type == "options" else run_input.value
