"""Outputs that Lamina has reported for a run, stored until we can tell which box each of them belongs in."""

from typing import Any

from django.db import models

from runs.models.run import Run


class HeldOutputs(models.Model):
    """The latest known outputs of a run, stored while it is unclear whether some of them are next versions of results.

    `engine.match_outputs` gives those outputs no box until more outputs have arrived or the run has ended. The row is
    then deleted.
    """

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="+")
    outputs: Any = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"held outputs of {self.run_id}"
