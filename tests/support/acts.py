"""What the audit record says about each POST in the access table (`access_rows`): the act recorded, or why there is
none.

Each request is sent by somebody who is allowed to make it. Most are exactly those in the access table. If that request
wouldn't change anything, the act has its own path and data.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from runs.engine.create_run import LaunchRequest, launch_run, new_form_token
from runs.history import holds
from runs.history.saved_views import save_view
from runs.models import MemberLimit, Output, OutputFile, Preset, Run, Verb
from runs.notices import choices
from runs.review.carry_over import carry_over
from runs.schema_forms.answers import load_answers
from runs.sharing.links import last_day_of
from runs.team import members, passwords
from tests.support.access_rows import ROWS, Row
from tests.support.access_world import World
from tests.support.app_forms import fields
from tests.support.clients import PASSWORD, client_of
from tests.support.factories import PICTURE, make_app, make_run
from tests.support.guest_links import guest_of

NEW_PASSWORD = "another long enough password"


@dataclass(frozen=True)
class Act:
    """A request that changes something, sent by `who`, and what the record should say about it. `path` and `data`
    replace those in the access table's row; `before` sets up the world."""

    verbs: tuple[Verb, ...]
    who: str = "owner"
    path: Callable[[World], list[Any]] | None = None
    data: Callable[[World], Any] | None = None
    before: Callable[[World, Client], Any] = lambda world, client: None
    query: str = ""  # the row's query
    subject: str = "private"


def row_of(name: str, act: Act) -> Row:
    """Return the row of the access table whose request `act` sends."""
    own = [row for row in ROWS if (row.name, row.method) == (name, "post")]
    return next((row for row in own if row.query == act.query), own[0])


def _made(world: World) -> list[str]:
    """Return the public id of the last object that `before` made."""
    return [_latest_of.pop().public_id]


_latest_of: list[Any] = []


def _making(make: Callable[[World], Any]) -> Callable[[World, Client], None]:
    return lambda world, client: _latest_of.append(make(world))


def _run(**values: Any) -> Callable[[World, Client], None]:
    return _making(lambda world: make_run(world.owner, world.app, **values))


def _ended_run(world: World) -> Run:
    """Return a run that was started from the current version of its app's form."""
    app = world.app
    assert app.schema is not None
    answer: Any = {"name": "Style", "key": "", "id": "s-1", "type": "options", "value": "Ghibli", "is_default": False}
    request = LaunchRequest(app, app.schema, load_answers([answer]), [0, 1], new_form_token(world.owner))
    run = launch_run(world.owner, request)
    Run.objects.filter(pk=run.pk).update(status="failed", finished_at=timezone.now(), due_at=None)
    return run


def _partly_failed(world: World) -> Run:
    run = make_run(world.owner, world.app, status="completed", outputs_failed=1, wanted_outputs=[0, 1])
    Output.objects.filter(run=run, position=1).update(status="error")
    return run


def _next_version(world: World) -> Output:
    run = make_run(world.owner, world.app, status="completed")
    first = world.subject.output
    return Output.objects.create(
        run=run, position=2, kind="text", text="A lake", status="completed", line=first, number=2, content_hash="a"
    )


def _carried(world: World) -> Any:
    carry_over(_next_version(world), world.owner)
    return world.subject.comment


def _lose_file(world: World, client: Client) -> None:
    OutputFile.objects.filter(output=world.subject.output).update(status="failed", file=None)


def _hold(world: World, client: Client) -> None:
    holds.hold(Run.objects.filter(pk=world.subject.run.pk), world.owner, timezone.now())


def _let_go(world: World, client: Client) -> None:
    output = world.subject.output
    Output.objects.filter(pk=output.pk).update(verdict="rejected", removal_at=timezone.now() + timedelta(days=1))


def _give_examples(world: World, client: Client) -> None:
    Preset.objects.filter(pk=world.subject.preset.pk).update(is_example=True)
    make_run(world.owner, world.app, status="completed", is_example=True)


def _clear_examples(world: World, client: Client) -> None:
    _give_examples(world, client)
    client.post(reverse("runs:examples-clear"))


def _picture() -> SimpleUploadedFile:
    content = BytesIO()
    Image.new("RGB", (40, 30), "#7a6cd0").save(content, "PNG")
    return SimpleUploadedFile("a.png", content.getvalue(), "image/png")


def _upload(world: World) -> dict[str, Any]:
    return {"app": make_app(parameters=[PICTURE]).public_id, "field": "p0", "file": _picture()}


def _mail_choices(world: World) -> dict[str, Any]:
    ways = {f"mail-{kind}": way for kind, way in choices.chosen_by(world.owner).items() if kind != choices.REMINDER}
    return {**ways, "mail-hour": "9", "mail-reminder": ""}


def _verdict(world: World) -> dict[str, Any]:
    output = world.subject.output
    return {"result": output.public_id, "seen": output.decided_in, "verdict": "approved"}


def _options(world: World) -> dict[str, Any]:
    link = world.subject.link
    return {
        "audience": "Kim",
        "last_day": last_day_of(link).isoformat(),
        "o": list(link.outputs.values_list("public_id", flat=True)),
        "passphrase": "three blue boats",
    }


def _newer_on_link(world: World) -> dict[str, Any]:
    return {"old": world.subject.output.public_id, "new": _latest_of.pop().public_id}


def _two_guests(world: World) -> dict[str, Any]:
    kim, lee = (guest_of(world.subject.link, name).public_id for name in ("Kim", "Lee"))
    return {"guest": kim, "other": lee}


def _shape(world: World, client: Client) -> None:
    url = reverse("runs:manage-app", args=[world.app.slug, world.app.public_id])
    client.post(url, {"seen": "0", "name": "Another name"})


def _someone_new(world: World) -> dict[str, str]:
    return {"email": "new@example.com", "name": "New", "role": "maker"}


ACTS: list[tuple[str, Act]] = [
    ("runs:app-star", Act((Verb.APP_STARRED,))),
    ("runs:app-detail", Act((Verb.RUN_STARTED,), data=lambda w: fields(w.app, w.owner))),
    ("runs:history-bulk-action", Act((Verb.RUN_STARRED,), data=lambda w: {
        "do": "star", "place": "mine", "r": [w.subject.run.public_id]})),
    ("runs:review", Act((Verb.RESULT_DECIDED,), "admin", data=_verdict)),
    ("runs:review-undo", Act((Verb.RESULT_UNDONE,), "admin", data=lambda w: {"batch": w.subject.decision.batch})),
    ("runs:review-many", Act((Verb.RESULT_DECIDED,), "admin", data=lambda w: {
        "shown": f"{w.subject.output.public_id}.{w.subject.output.decided_in}", "verdict": "approved"})),
    ("runs:review-ask", Act((Verb.REVIEW_ASKED, Verb.RUN_SHARED))),
    ("runs:review-request-close", Act((Verb.REVIEW_CLOSED,))),
    ("runs:review-request-remind", Act((Verb.REVIEW_REMINDED,))),
    ("runs:view-save", Act((Verb.VIEW_SAVED,))),
    ("runs:view-change", Act((Verb.VIEW_CHANGED,), path=_made, data=lambda _: {"name": "another"},
        before=_making(lambda w: save_view(w.owner, "a view", "q=a")))),
    ("runs:view-change", Act((Verb.VIEW_REMOVED,), path=_made, data=lambda _: {"do": "delete"},
        before=_making(lambda w: save_view(w.owner, "a view", "q=a")))),
    ("runs:run-cancel", Act((Verb.RUN_CANCELLED,), path=_made, before=_run(status="running"))),
    ("runs:run-cancel", Act((Verb.RUN_CANCELLED,), path=_made, before=_run(status="starting"))),
    ("runs:run-start-again", Act((Verb.RUN_STARTED_AGAIN,), path=_made, before=_run(status="checking", due_at=None))),
    ("runs:run-leave", Act((Verb.RUN_LEFT,), path=_made, before=_run(status="checking", due_at=None))),
    ("runs:mail-stop", Act((Verb.PERSON_CHANGED,), "nobody")),
    ("runs:run-delete", Act((Verb.RUN_BINNED,))),
    ("runs:run-restore", Act((Verb.RUN_RESTORED,))),
    ("runs:bin-restore", Act((Verb.RUN_RESTORED,))),
    ("runs:run-hold", Act((Verb.RUN_HELD,))),
    ("runs:run-hold", Act((Verb.RUN_RELEASED,), data=lambda _: {"on": ""}, before=_hold)),
    ("runs:result-keep", Act((Verb.RESULT_KEPT,), before=_let_go)),
    ("runs:result-fetch-again", Act((Verb.RESULT_FETCHED_AGAIN,), before=_lose_file)),
    ("runs:run-retry-failed", Act((Verb.RUN_STARTED,), path=_made, before=_making(_partly_failed),
        data=lambda w: {"token": new_form_token(w.owner)})),
    ("runs:examples-clear", Act((Verb.RUN_BINNED, Verb.EXAMPLES_REMOVED), "admin", before=_give_examples)),
    ("runs:examples-restore", Act((Verb.RUN_RESTORED, Verb.EXAMPLES_RESTORED), "admin", before=_clear_examples)),
    ("runs:result-comment", Act((Verb.COMMENT_POSTED,))),
    ("runs:run-comment", Act((Verb.COMMENT_POSTED,))),
    ("runs:comment-reply", Act((Verb.COMMENT_POSTED,))),
    ("runs:comment-edit", Act((Verb.COMMENT_EDITED,))),
    ("runs:comment-remove", Act((Verb.COMMENT_REMOVED,))),
    ("runs:comment-resolve", Act((Verb.COMMENT_RESOLVED,))),
    ("runs:result-carry-over", Act((Verb.COMMENT_CARRIED,), path=_made, before=_making(_next_version))),
    ("runs:comment-move-back", Act((Verb.COMMENT_MOVED_BACK,), path=_made, before=_making(_carried))),
    ("runs:upload-create", Act((Verb.UPLOAD_ADDED,), data=_upload)),
    ("runs:run-rerun", Act((Verb.RUN_STARTED,), path=_made, before=_making(_ended_run),
        data=lambda w: {"token": new_form_token(w.owner)})),
    ("runs:run-rename", Act((Verb.RUN_RENAMED,), data=lambda _: {"title": "Another"})),
    ("runs:result-describe", Act((Verb.RESULT_DESCRIBED,), data=lambda _: {"description": "A red shoe"})),
    ("runs:preset-new", Act((Verb.PRESET_SAVED,), query="from")),
    ("runs:preset-edit", Act((Verb.PRESET_CHANGED,))),
    ("runs:preset-delete", Act((Verb.PRESET_REMOVED,))),
    ("runs:run-star", Act((Verb.RUN_STARRED,), data=lambda _: {"on": "1"})),
    ("runs:result-star", Act((Verb.RESULT_STARRED,), data=lambda _: {"on": "1"})),
    ("runs:result-decide", Act((Verb.RESULT_DECIDED,), "admin")),
    ("runs:result-withdraw", Act((Verb.RESULT_WITHDRAWN,), "admin",
        path=lambda w: [w.subject.decision.output.public_id])),
    ("runs:results-choose", Act((Verb.RESULT_DECIDED,), "admin")),
    ("runs:decision-undo", Act((Verb.RESULT_UNDONE,), "admin")),
    ("runs:decision-set-aside", Act((Verb.RESULT_SET_ASIDE,), "approver", subject="shared")),
    ("runs:manage-review", Act((Verb.RULES_CHANGED,), "admin")),
    ("runs:manage-people", Act((Verb.PERSON_INVITED,), "admin", data=_someone_new)),
    ("runs:manage-person", Act((Verb.PERSON_CHANGED,), "admin", data=lambda _: {"role": "approver"})),
    ("runs:person-new-password", Act((Verb.PERSON_PASSWORD_LINK,), "admin")),
    ("runs:person-deactivate", Act((Verb.PERSON_DEACTIVATED,), "admin")),
    ("runs:person-reactivate", Act((Verb.PERSON_REACTIVATED,), "admin")),
    ("runs:person-mail-again", Act((Verb.PERSON_MAIL_AGAIN,), "admin")),
    ("runs:mail-test", Act((Verb.MAIL_TESTED,), "admin")),
    ("runs:person-transfer", Act((Verb.PERSON_TRANSFERRED, Verb.RUN_TRANSFERRED), "admin",
        data=lambda w: {"to": w.members["admin"].public_id},
        before=lambda w, _: members.deactivate(w.owner))),
    ("runs:invite-send", Act((Verb.PERSON_INVITED_AGAIN,), "admin")),
    ("runs:invite-revoke", Act((Verb.PERSON_UNINVITED,), "admin")),
    ("runs:invite", Act((Verb.PERSON_JOINED, Verb.PERSON_SIGNED_IN), "nobody",
        data=lambda _: {"name": "New", "email": "new@example.com", "password": NEW_PASSWORD})),
    ("runs:password-new", Act((Verb.PERSON_NEW_PASSWORD, Verb.PERSON_SIGNED_IN), "nobody",
        path=lambda w: [passwords.new_password_address(w.owner, timedelta(hours=1)).rstrip("/").rpartition("/")[2]],
        data=lambda _: {"password": NEW_PASSWORD})),
    ("runs:password-change", Act((Verb.PERSON_NEW_PASSWORD,),
        data=lambda _: {"old_password": PASSWORD, "password": NEW_PASSWORD})),
    ("runs:me", Act((Verb.PERSON_CHANGED,), data=lambda _: {"name": "Alice Liddell"})),
    ("runs:mail-choices", Act((Verb.PERSON_CHANGED,), data=_mail_choices)),
    ("runs:mail-again", Act((Verb.PERSON_MAIL_AGAIN,))),
    ("runs:session-end", Act((Verb.PERSON_BROWSER_ENDED,))),
    ("runs:session-end-others", Act((Verb.PERSON_BROWSER_ENDED,), before=lambda w, _: client_of(w.owner))),
    ("runs:run-share", Act((Verb.RUN_SHARED,))),
    ("runs:run-share", Act((Verb.RUN_UNSHARED,), data=lambda _: {"who": "not-team"}, subject="shared")),
    ("runs:run-share", Act((Verb.LINK_REVOKED, Verb.RUN_UNSHARED), data=lambda _: {"who": "me"}, subject="shared")),
    ("runs:link-new", Act((Verb.LINK_MADE,), query="results")),
    ("runs:link-detail", Act((Verb.LINK_CHANGED,), data=_options)),
    ("runs:link-extend", Act((Verb.LINK_EXTENDED,))),
    ("runs:link-replace", Act((Verb.LINK_REPLACED,), data=_newer_on_link, before=_making(_next_version))),
    ("runs:link-same-person", Act((Verb.GUESTS_JOINED,), data=_two_guests)),
    ("runs:link-revoke", Act((Verb.LINK_REVOKED,))),
    ("runs:link-restore", Act((Verb.LINK_RESTORED,))),
    ("runs:manage-sharing", Act((Verb.RULES_CHANGED,), "admin", data=lambda _: {
        "guests_allowed": "on", "longest_days": "30", "link_makers": "maker"})),
    ("runs:chat-set", Act((Verb.CHAT_SET,), "admin",
        data=lambda _: {"secret_address": "https://hooks.slack.com/services/T0/B0/XYZ", "kind": ["asked"]})),
    ("runs:chat-test", Act((Verb.CHAT_TESTED,), "admin")),
    ("runs:chat-remove", Act((Verb.CHAT_REMOVED,), "admin")),
    ("runs:manage-retention", Act((Verb.RULES_CHANGED,), "admin", data=lambda _: {"ready_days": "30"})),
    ("runs:manage-apps", Act((Verb.APP_MOVED,), "admin", data=lambda w: {"act": f"up:{w.app.public_id}"},
        before=lambda w, _: make_app("Another"))),
    ("runs:manage-apps", Act((Verb.APP_SHAPED,), "admin", data=lambda w: {"act": "hide", "app": w.app.public_id})),
    ("runs:manage-app", Act((Verb.APP_SHAPED,), "admin")),
    ("runs:manage-app-reset", Act((Verb.APP_RESET,), "admin", data=lambda _: {"seen": "1"}, before=_shape)),
    ("runs:manage-limits", Act((Verb.LIMITS_CHANGED,), "admin", data=lambda _: {"default": "100"})),
    ("runs:manage-limit", Act((Verb.PERSON_LIMITED,), "admin", data=lambda _: {"sort": "own", "own": "50"})),
    ("runs:app-price", Act((Verb.APP_PRICED,), "admin", data=lambda _: {"price": "3"})),
    ("runs:ask-for-more", Act((Verb.PERSON_ASKED_FOR_MORE,),
        before=lambda w, _: MemberLimit.objects.create(member=w.owner, hundredths=100))),
    ("runs:spending-sheet", Act((Verb.EXPORTED,), "admin")),
    ("runs:manage-log-csv", Act((Verb.EXPORTED,), "admin")),
    ("runs:guest-decide", Act((Verb.RESULT_DECIDED,), "guest")),
    ("runs:guest-comment", Act((Verb.COMMENT_POSTED,), "guest")),
    ("login", Act((Verb.PERSON_SIGNED_IN,), "nobody",
        data=lambda w: {"username": w.owner.email, "password": PASSWORD})),
    ("logout", Act((Verb.PERSON_SIGNED_OUT,))),
    # This act comes last, since it also deletes a file, which a rollback can't restore.
    ("runs:run-delete", Act((Verb.RUN_PURGED,), query="binned")),
]  # fmt: skip

_DRAFT = "a draft is nobody's but its writer's, and changes with each key"
_TICKS = "ticks are nobody's but their owner's, and go after a week"
_TOLD = "it changes only what one person is told"
EXEMPT = {
    "runs:draft-save": _DRAFT,
    "runs:draft-clear": _DRAFT,
    "runs:draft-drop": _DRAFT,
    "runs:draft-restore": _DRAFT,
    "runs:library": _DRAFT,
    "runs:result-use": _DRAFT,
    "runs:history-select": _TICKS,
    "runs:run-mail": _TOLD,
    "runs:inbox-mute": _TOLD,
    "runs:inbox-unmute": _TOLD,
    "runs:inbox-read": "read marks",
    "runs:inbox-seen": "read marks",
    "runs:manage-storage": "it only counts anew",
    "runs:webhook": "news of a run; its start and its end are recorded as the portal's own (test_worker_acts)",
    "runs:password-reset": "anyone may ask for the mail; what counts is the password set with it",
    "runs:guest": "it only says who is looking, and proves that they know the passphrase",
    "runs:guest-download": "only a download of many files is recorded (test_portal_acts)",
}
