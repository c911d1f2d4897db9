"""A link that opens an email to the admins, for members who need help."""

from urllib.parse import quote

from runs.models import Member

AT_MOST = 3


def mail_to_admins(subject: str) -> str:
    """Return a `mailto:` link to the admins with `subject`; "" if there is no active admin."""
    admins = Member.objects.filter(role=Member.Role.ADMIN, is_active=True).order_by("pk")
    mails = ",".join(quote(mail, safe="@") for mail in admins.values_list("email", flat=True)[:AT_MOST])
    return f"mailto:{mails}?subject={quote(subject, safe='')}" if mails else ""
