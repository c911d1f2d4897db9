"""Inviting and joining, the way an admin and a new member would."""

from django.test import Client

from runs.models import Invite
from runs.web import secret_links
from runs.web.secret_links import Purpose
from tests.support.clients import PASSWORD

PEOPLE = "/manage/people/"


def text_of(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def invite(admin: Client, **values: str) -> Invite:
    """Create an invite by posting the form; return it."""
    answer = admin.post(PEOPLE, {"email": "", "name": "", "role": "maker"} | values)
    assert answer.status_code == 302, answer.content.decode()
    made = Invite.objects.first()
    assert made is not None
    return made


def path_of(made: Invite) -> str:
    return f"/invite/{secret_links.token_of(Purpose.INVITE, made.nonce)}/"


def join(path: str, **values: str) -> Client:
    """Fill in the invite's page in a new browser; return the browser, which is signed in if joining worked."""
    client = Client()
    answer = client.post(path, {"name": "Kim", "email": "kim@acme.example", "password": PASSWORD} | values)
    client.last_answer = answer  # type: ignore[attr-defined]
    return client


def said(client: Client) -> str:
    """Return the last page that the browser received."""
    content: bytes = client.last_answer.content  # type: ignore[attr-defined]
    return content.decode()
