"""Responses to posted forms, saved so that they can be shown after a redirect.

Without JavaScript, when someone goes back to a page that answered a POST, the browser asks whether to resend the form.
That's why the response is a redirect: what was typed is kept in the draft, and the message to show is kept in the
session.
"""

from django.contrib.sessions.backends.base import SessionBase

from runs.engine import create_run
from runs.launching import drafts
from runs.launching.prefill import FormNote, Opening
from runs.models import App, Member
from runs.models.ids import new_public_id
from runs.schema_forms.build import SchemaForm

KEY = "answered_form"
PARAMETER = "answered"


def keep(session: SessionBase, app: App, form: SchemaForm, opened: Opening) -> str:
    """Save the messages for `form` in the session; return the URL of the page that shows them."""
    errors = {name: form.error_of(name) for name in ["", *form.fields]}
    answer = {
        "id": new_public_id(),
        "app": app.public_id,
        "errors": {name: words for name, words in errors.items() if words},
        "notices": [notice.words for notice in opened.notices],
        "token": opened.token,
        "is_private": opened.is_private,
    }
    session[KEY] = answer
    return f"{app.get_absolute_url()}?{PARAMETER}={answer['id']}"


def recall(session: SessionBase, member: Member, app: App, answer_id: str, opened: Opening) -> None:
    """Add to `opened` (the form with the draft) the messages that were saved for it, unless they are out of date."""
    answer = session.get(KEY, {})
    is_it = answer_id != "" and (answer.get("id"), answer.get("app")) == (answer_id, app.public_id)
    if not is_it or drafts.current_draft(member, app) is None:
        return
    opened.field_errors = answer["errors"]
    opened.notices = [FormNote(words) for words in answer["notices"]]
    opened.is_private = answer["is_private"]
    opened.token = answer["token"] if create_run.is_unspent(member, answer["token"]) else ""
