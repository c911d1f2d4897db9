"""Who to ask for help: the admins' names, and a link that opens an email to them."""

from urllib.parse import quote

from django.db.models import QuerySet
from django.utils.text import get_text_list
from django.utils.translation import pgettext

from runs.models import Member

AT_MOST = 3


def mail_to_admins(subject: str) -> str:
    """Return a `mailto:` link for writing to the admins about `subject`; "" if there is no active admin."""
    mails = ",".join(quote(admin.email, safe="@") for admin in _first_admins())
    return f"mailto:{mails}?subject={quote(subject, safe='')}" if mails else ""


def admin_names() -> str:
    """Return the names of the people to ask, such as "Ann, Ben or Cleo"; "" if there is no active admin."""
    names = [admin.display_name for admin in _first_admins()]
    return get_text_list(names, pgettext("between the last two of a list", "or"))


def _first_admins() -> QuerySet[Member]:
    return Member.objects.filter(role=Member.Role.ADMIN, is_active=True).order_by("pk")[:AT_MOST]
