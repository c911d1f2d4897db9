"""Problems for admins that nobody reports: a refused key, a disk that is nearly full. The pulse checks for them."""

from runs.connection.status import lamina_status
from runs.models.messages import Message
from runs.notices.listeners import tell_admins
from runs.storage.disk import LITTLE_ROOM, free_bytes


def look() -> None:
    """Tell admins what is wrong now, at most once a day each."""
    if lamina_status().key_refused_at is not None:
        tell_admins("key", Message("key_refused"))
    free = free_bytes()
    if free is not None and free < LITTLE_ROOM:
        tell_admins("storage", Message("little_room", {"free_bytes": free}))
