"""Records the portal itself as the actor in background tasks, with the task's id as the request id."""

from collections.abc import Mapping
from typing import Any

from django_q.signals import pre_execute

from runs.audit.actors import Actor, Way, act_as


def listen() -> None:
    """Have django-q2 notify us before it runs each task."""
    pre_execute.connect(_on_task, dispatch_uid="audit")


def _on_task(task: Mapping[str, Any], **_: Any) -> None:
    act_as(Actor(Way.WORKER, request_id=str(task["id"])[:40]))
