"""Titles that people give to runs, and descriptions that they write for results."""

from django.db import transaction

from runs.audit.record import record
from runs.engine.input_summary import summarise
from runs.models import Output, Run, Verb

TITLE_LENGTH, DESCRIPTION_LENGTH = 200, 10_000  # characters


def rename(run: Run, title: str) -> None:
    """Set the title of `run` and update the search index; an empty title removes the old one."""
    before, run.title = run.title, " ".join(title.replace("\x00", " ").split())[:TITLE_LENGTH]
    with transaction.atomic():
        Run.objects.filter(pk=run.pk).update(title=run.title)
        summarise(run)
        if run.title != before:
            record(Verb.RUN_RENAMED, run, changes={"title": (before, run.title)})


def describe(output: Output, text: str) -> None:
    """Set the description of `output`; an empty one removes it."""
    before, output.description = output.description, text.strip()[:DESCRIPTION_LENGTH]
    if output.description != before:
        with transaction.atomic():
            output.save(update_fields=["description"])
            record(Verb.RESULT_DESCRIBED, output, changes={"text": (before, output.description)})
