"""Creates the first accounts: demo accounts in the sandbox, an admin for the real Lamina."""

import getpass
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from runs.audit.record import record, record_each
from runs.management.addresses import Address, is_loopback
from runs.models import Member, Verb
from runs.web.demo_accounts import DEMO_EMAILS, DEMO_PASSWORD, DEMO_PEOPLE

HOW_TO_MAKE_AN_ADMIN = "Create the first admin with: .venv/bin/python manage.py createsuperuser"


def prepare_people(bind: Address, say: Callable[[str], None]) -> list[str]:
    """Make sure that somebody can sign in. Return messages that say who can sign in."""
    if settings.IS_SANDBOX:
        public = next((host for host in (_portal_host(), bind.host) if not is_loopback(host)), None)
        if public is None:
            return _make_demo_people()
        _close_demo_people()
        say(
            f"Others can reach the portal at {public}, so demo@example.com and sam@example.com cannot sign in"
            " because everybody knows their password."
        )
    if Member.objects.filter(role=Member.Role.ADMIN, is_active=True).exists():
        return []
    if not sys.stdin.isatty():
        return [f"There is no admin yet. {HOW_TO_MAKE_AN_ADMIN}"]
    say("There is no admin yet. Create one:")
    return [f"Sign in as {ask_for_admin(say).email}."]


def _portal_host() -> str:
    return urlsplit(settings.PORTAL_URL).hostname or ""


@transaction.atomic
def _make_demo_people() -> list[str]:
    for email, name, role in DEMO_PEOPLE:
        member, is_new = Member.objects.get_or_create(email=email, defaults={"name": name, "role": role})
        if not (member.is_active and member.check_password(DEMO_PASSWORD)):
            member.is_active, member.deactivated_at = True, None
            member.set_password(DEMO_PASSWORD)
            member.save(update_fields=["is_active", "deactivated_at", "password"])
            record(Verb.PERSON_JOINED if is_new else Verb.PERSON_REACTIVATED, member)
    return [
        f"Sign in as demo@example.com (admin) or sam@example.com (approver), password: {DEMO_PASSWORD}",
        "Sandbox: nothing here is real. Set LAMINA_API_KEY to work with Lamina.",
    ]


@transaction.atomic
def _close_demo_people() -> None:
    open_ones = Member.objects.filter(email__in=DEMO_EMAILS, is_active=True)
    record_each(Verb.PERSON_DEACTIVATED, open_ones)
    open_ones.update(is_active=False)


def ask_for_admin(say: Callable[[str], None], email: str = "") -> Member:
    """Prompt in the terminal until an admin has been created, and return the admin. `email` isn't asked for unless
    something is wrong."""
    while True:
        email = email or input("  Email address: ").strip()
        password = getpass.getpass("  Password: ")
        try:
            _demand_new(email)
            if problem := weakness(email, password):
                raise ValidationError(problem)
            if getpass.getpass("  Password again: ") != password:
                raise ValidationError("The two passwords don't match.")
        except ValidationError as error:
            say("\n".join(f"  {message}" for message in error.messages))
            email = ""
            continue
        return _make_admin(email, password)


def create_admin(email: str, password: str | None) -> Member:
    """Create an admin with any password; raise `ValidationError` if the email address is refused. Without a password,
    the admin needs a link to set one."""
    _demand_new(email)
    return _make_admin(email, password)


def weakness(email: str, password: str | None) -> str:
    """Return what is wrong with a password for this address; "" if nothing is, or if there is none."""
    try:
        if password is not None:
            validate_password(password, Member(email=email))
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def _demand_new(email: str) -> None:
    validate_email(email)
    if Member.objects.filter(email=Member.objects.normalize_email(email)).exists():
        raise ValidationError("A member with this address already exists.")


@transaction.atomic
def _make_admin(email: str, password: str | None) -> Member:
    member = Member.objects.create_superuser(email, password)
    record(Verb.PERSON_JOINED, member, changes={"role": ("", member.role)})
    return member
