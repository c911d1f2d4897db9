"""The email that invites someone to join the team."""

from django.utils.translation import gettext as _

from runs.models import Invite
from runs.team import mail
from runs.team.invites import address_of
from runs.words.moments import zoned_words
from runs.words.one_line import one_line


def send(invite: Invite) -> bool:
    """Email the link, in the active language; return False if sending fails (the link works anyway)."""
    address = address_of(invite)
    if not invite.email or not address:
        return False
    by = invite.invited_by.display_name
    return mail.send(
        invite.email,
        _("%(name)s invited you to Lamina Portal") % {"name": one_line(by)[:60]},
        _("Hello %(name)s,") % {"name": invite.name} if invite.name else _("Hello,"),
        _("%(name)s has invited you to Lamina Portal. Choose a password here:") % {"name": by},
        address,
        _("The link works only once and expires on %(until)s. It's only for you, so don't pass it on.")
        % {"until": zoned_words(invite.expires_at)},
    )
