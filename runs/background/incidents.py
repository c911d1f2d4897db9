"""Incidents: events that an admin may want to know about, kept for 30 days."""

from datetime import datetime, timedelta

from runs import events
from runs.models import Incident
from runs.models.messages import Message

RETENTION = timedelta(days=30)
FAILED_TASKS_KEPT = timedelta(days=7)


def record_incident(kind: str, message: Message, request_id: str = "") -> None:
    """Record an event that admins may want to know about. The message mustn't contain keys, inputs or secret paths."""
    incident = Incident.objects.create(kind=kind, text=message, request_id=request_id[:100])
    events.incident_recorded.send(incident)


def tidy(now: datetime) -> None:
    """Delete old incidents and old failed tasks."""
    from django_q.models import Failure

    Incident.objects.filter(at__lt=now - RETENTION).delete()
    Failure.objects.filter(stopped__lt=now - FAILED_TASKS_KEPT).delete()
