"""Problems that no other code reports to the admins: a refused key and a nearly full disk, which the worker's pulse
checks for, and emails that the mail server rejects."""

from runs.connection.status import lamina_status
from runs.models import Member
from runs.models.messages import Message
from runs.notices.listeners import tell_admins
from runs.storage.disk import LITTLE_ROOM, free_bytes


def look() -> None:
    """Tell admins about each current problem, at most once a day."""
    if lamina_status().key_refused_at is not None:
        tell_admins("key", Message("key_refused"))
    free = free_bytes()
    if free is not None and free < LITTLE_ROOM:
        tell_admins("storage", Message("little_room", {"free_bytes": free}))


def mail_given_up(member: Member, words: str) -> None:
    """Tell admins that an email to `member` couldn't be delivered, and what the mail server said. They are told at most
    once a day, since the server may be refusing all emails."""
    tell_admins("mail-given-up", Message("mail_given_up", {"name": member.display_name, "words": words or "-"}))
