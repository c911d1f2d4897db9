"""Problems for admins that nobody reports: a refused key and a disk that is nearly full, which the pulse checks for,
and mails that the mail server doesn't accept."""

from runs.connection.status import lamina_status
from runs.models import Member
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


def mail_given_up(member: Member, words: str) -> None:
    """Tell admins that a mail to `member` was given up, with what the mail server said. At most once a day, since it
    may refuse them all."""
    tell_admins("mail-given-up", Message("mail_given_up", {"name": member.display_name, "words": words or "-"}))
