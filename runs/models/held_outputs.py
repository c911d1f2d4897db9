"""What Lamina has reported about a run of which some outputs still wait for a box."""

from typing import Any

from django.db import models

from runs.models.run import Run


class HeldOutputs(models.Model):
    """The outputs of a run, as reported last, if some of them might be the next version of a result, or might not.

    `engine.match_outputs` waits with these until more outputs have arrived or the run has ended. The row is deleted
    then.
    """

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="+")
    outputs: Any = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"held outputs of {self.run_id}"
