"""Makes sure that the database still protects the audit record, and that no permission to delete entries has been left
behind."""

import logging

from django.db import DatabaseError

from runs.audit import guard
from runs.background.incidents import record_incident
from runs.models.messages import Message

logger = logging.getLogger(__name__)


def restore() -> None:
    """Recreate missing triggers, and tell the admins, because entries could have been changed while the triggers were
    missing."""
    try:
        missing = guard.missing()
    except DatabaseError:
        return  # whatever starts next will report the problem
    if missing:
        logger.critical("The database didn't guard the record: %s missing.", ", ".join(sorted(missing)))
        guard.install()
        record_incident("record", Message("record_unguarded"))
    guard.close()
