"""Responses to posted forms, saved so that they can be shown after a redirect.

Without JavaScript, when someone goes back to a page that answered a POST, the browser asks whether to resend the form.
That's why the response is a redirect: what was typed is kept in the draft, and the message to show is kept in the
session.
"""

from dataclasses import dataclass, replace

from django.contrib.sessions.backends.base import SessionBase

from runs.engine import create_run
from runs.launching import drafts
from runs.launching.posted_form import Shown
from runs.launching.prefill import Notice, Opening
from runs.models import App, Member
from runs.models.ids import new_public_id

KEY = "answered_form"
PARAMETER = "answered"


@dataclass(frozen=True)
class Answered:
    """A form to show. `token` is the one it was posted with, if it can still start a run."""

    opened: Opening
    token: str = ""


def keep(session: SessionBase, app: App, shown: Shown) -> str:
    """Save the messages from `shown` in the session; return the URL of the page that shows them."""
    errors = {name: shown.form.error_of(name) for name in ["", *shown.form.fields]}
    kept = {
        "id": new_public_id(),
        "app": app.public_id,
        "errors": {name: words for name, words in errors.items() if words},
        "notices": [notice.words for notice in shown.opened.notices],
        "token": shown.token,
        "is_private": shown.opened.is_private,
    }
    session[KEY] = kept
    return f"{app.get_absolute_url()}?{PARAMETER}={kept['id']}"


def recalled(session: SessionBase, member: Member, app: App, answer_id: str, opened: Opening) -> Answered:
    """Return `opened` (the form with the draft) with the messages that were saved for it, unless they are out of
    date."""
    kept = session.get(KEY, {})
    is_it = answer_id != "" and (kept.get("id"), kept.get("app")) == (answer_id, app.public_id)
    if not is_it or drafts.current_draft(member, app) is None:
        return Answered(opened)
    said = replace(
        opened,
        field_errors=kept["errors"],
        notices=[Notice(words) for words in kept["notices"]],
        is_private=kept["is_private"],
    )
    return Answered(said, kept["token"] if create_run.is_unspent(member, kept["token"]) else "")
