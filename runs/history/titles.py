"""Titles that people give to runs."""

from django.db import transaction

from runs.audit.record import record
from runs.engine.input_summary import summarise
from runs.models import Run, Verb

TITLE_LENGTH = 200


def rename(run: Run, title: str) -> None:
    """Set the title of `run` and update the search index; an empty title removes the old one."""
    before, run.title = run.title, " ".join(title.replace("\x00", " ").split())[:TITLE_LENGTH]
    with transaction.atomic():
        Run.objects.filter(pk=run.pk).update(title=run.title)
        summarise(run)
        if run.title != before:
            record(Verb.RUN_RENAMED, run, changes={"title": (before, run.title)})
