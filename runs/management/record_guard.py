"""Checks that the database still guards the record, and that nothing was left open."""

import logging

from django.db import DatabaseError

from runs.audit import guard
from runs.background.incidents import record_incident
from runs.models.messages import Message

logger = logging.getLogger(__name__)


def restore() -> None:
    """Create triggers that are missing again, and tell admins: meanwhile, entries could have been changed."""
    try:
        lost = guard.missing()
    except DatabaseError:
        return  # whatever starts next says so
    if lost:
        logger.critical("The database didn't guard the record: %s missing.", ", ".join(sorted(lost)))
        guard.install()
        record_incident("record", Message("record_unguarded"))
    guard.close()
