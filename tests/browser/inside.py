"""Helper process that works on a whole portal's database: it reads lines like `["member", {"name": "ann"}]` and answers
each with a line of JSON."""

import json
import sys
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import django

if __name__ == "__main__":
    django.setup()

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.sessions.models import Session
from django.db.models import Max, Q
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from runs import catalog
from runs.catalog import in_use, lamina_search
from runs.connection.status import lamina_status
from runs.engine import create_run
from runs.history import bin
from runs.launching import drafts, presets
from runs.models import (
    App,
    AppSearch,
    Draft,
    GuestContact,
    Member,
    Notice,
    Output,
    OutputFile,
    Preset,
    RequestWindow,
    ReviewRequest,
    Run,
)
from runs.models.ids import new_public_id
from runs.models.messages import Message
from runs.notices import channels, mails, read_state, unsubscribe
from runs.review import comments, requests, verdicts
from runs.review.deciders import Reviewer
from runs.schema_forms.answers import Answer, load_answers
from runs.sharing import links
from runs.team import invites, passwords, recent_password
from runs.web import error_page, secret_links
from runs.web.demo_accounts import DEMO_PASSWORD
from runs.web.session_lifetime import SessionStore
from runs.words.run_states import state_of
from tests.support import factories
from tests.support.guest_links import guest_of

PASSWORD = "demo"
numbers = count(1)


def has_catalog() -> bool:
    """Return whether every listed app has its form, and the first few also have their pictures.

    Forms that Lamina didn't send in time, or that were invalid, are requested again, as when somebody opens the app.
    The same goes for forms that are still missing once the portal has stopped reading forms by itself: an app may come
    into use after the portal has read as many forms as it's allowed to in a day.
    """
    apps = App.objects.listed()
    last = apps.aggregate(last=Max("schema_fetched_at"))["last"]
    is_over = last is not None and last < timezone.now() - timedelta(seconds=5)
    is_asked_for = Q(pk__in=[] if is_over else in_use.apps_in_use(), schema_asked_at=None)
    for app in apps.filter(schema=None, form_problem="").exclude(is_asked_for):
        catalog.request_app_refresh(app)
    return (
        lamina_status().balance is not None
        and apps.count() > 30
        and not apps.filter(schema=None, form_problem="").exists()
        and apps.filter(position__lt=3, thumbnail=None).count() <= 1
    )


def member(name: str, role: str = "maker") -> dict[str, str]:
    """Create a member with the password "demo", already signed in; return the email address and session key."""
    hashed = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1)  # cheap to create and check
    email = f"{name}-{next(numbers)}@example.com"
    made = Member.objects.create(email=email, name=name.title(), role=role, password=hashed)
    return {"email": email, "session": session(made.email)}


def look(email: str) -> None:
    """Mark all of the member's ended runs as seen, so that no page announces them."""
    who = Member.objects.get(email=email)
    read_state.mark_all(who, timezone.now())


def demo_person() -> None:
    """Create the sandbox's demo admin, as `make run` does."""
    hashed = PBKDF2PasswordHasher().encode(DEMO_PASSWORD, "salt", iterations=1)
    Member.objects.get_or_create(email="demo@example.com", defaults={"name": "Demo", "password": hashed})


def session(email: str) -> str:
    """Sign the member in; return the session key."""
    who = Member.objects.get(email=email)
    store = SessionStore()
    store[SESSION_KEY] = str(who.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = who.get_session_auth_hash()
    store[recent_password.KEY] = int(time.time())
    store.begin()
    store.save()
    assert store.session_key
    return store.session_key


def expire(email: str) -> None:
    """End all of the member's sessions, as if they had timed out."""
    who = str(Member.objects.get(email=email).pk)
    for kept in Session.objects.all():
        if kept.get_decoded().get(SESSION_KEY) == who:
            Session.objects.filter(pk=kept.pk).update(expire_date=timezone.now())


def forget_password(email: str) -> None:
    """Make it look as if the member last entered their password too long ago to manage people."""
    who = str(Member.objects.get(email=email).pk)
    for kept in Session.objects.all():
        if kept.get_decoded().get(SESSION_KEY) == who:
            old = SessionStore().encode(kept.get_decoded() | {recent_password.KEY: 0, recent_password.USED: 0})
            Session.objects.filter(pk=kept.pk).update(session_data=old)


def chat_off() -> None:
    """Create a Teams channel that is turned off, so that nothing is ever sent there."""
    channel = channels.set_channel("teams", "https://teams.example.com/workflows/x", [], [], "en")
    channels.switch_off(channel, Message("chat_said", {"status": 404, "words": "WorkflowNotFound"}))


def app(remote_id: str) -> dict[str, Any]:
    """Return the app's path in the portal, its name and its parameters."""
    found = App.objects.select_related("schema").get(remote_id=remote_id)
    assert found.schema
    return {"path": found.get_absolute_url(), "name": found.name, "parameters": found.schema.parameters}


def has_form(remote_id: str) -> bool:
    """Return whether the portal has read the app's form."""
    return App.objects.filter(remote_id=remote_id, schema__isnull=False).exists()


def start(email: str, remote_id: str, **values: str) -> str:
    """Press Run for the member. `values` maps field names to text or options; other fields keep their defaults."""
    who, what = Member.objects.get(email=email), App.objects.select_related("schema").get(remote_id=remote_id)
    assert what.schema
    answers = answers_of(what, values)
    wanted = [output["index"] for output in what.schema.outputs]
    press = create_run.LaunchRequest(what, what.schema, answers, wanted, create_run.new_form_token(who))
    return create_run.launch_run(who, press).public_id


def answers_of(app: App, values: dict[str, str]) -> list[Answer]:
    """Return the answers that the app's form gives when filled in with `values`, as for `start`."""
    assert app.schema
    answers: Any = [
        {
            **{key: p.get(key) or "" for key in ("name", "key", "id", "type")},
            "value": values.get(p["name"], {"uploads": []} if p["type"] == "url" else ""),
            "is_default": p["name"] not in values,
        }
        for p in app.schema.parameters
    ]
    return load_answers(answers)


def draft(email: str, remote_id: str, **values: str) -> None:
    """Save a draft of the app's form for the member, filled in as for `start`."""
    who, what = Member.objects.get(email=email), App.objects.select_related("schema").get(remote_id=remote_id)
    drafts.save_draft(Draft(member=who, app=what, answers=answers_of(what, values)))


def example(email: str, remote_id: str) -> str:
    """Create a finished, shared run that counts as one of the sandbox's examples; return its id."""
    who, what = Member.objects.get(email=email), App.objects.select_related("schema").get(remote_id=remote_id)
    now = timezone.now()
    return factories.make_run(who, what, status="completed", is_example=True, shared_at=now).public_id


def forget_examples() -> None:
    """Delete the examples, including those in the bin."""
    Run.objects.filter(is_example=True).delete()


def stay(email: str, remote_id: str, status: str, asks: bool = False) -> str:
    """Create a run that stays in `status` ("starting" or "checking"), because its next step isn't due for an hour or,
    with `asks`, because a person has to decide."""
    now = timezone.now()
    due = None if asks else now + timedelta(hours=1)
    fields = {"wait": "lamina"} if status == "starting" else {"sent_at": now}
    who, what = Member.objects.get(email=email), App.objects.select_related("schema").get(remote_id=remote_id)
    return factories.make_run(who, what, status=status, due_at=due, **fields).public_id


def fill_history(email: str, remote_id: str, count: int) -> None:
    """Make `count` finished runs, an hour apart."""
    who, what = Member.objects.get(email=email), App.objects.select_related("schema").get(remote_id=remote_id)
    for hours in range(count):
        factories.make_run(who, what, status="completed", created_at=timezone.now() - timedelta(hours=hours + 1))


def result(email: str, remote_id: str, file_status: str = "", text: str = "") -> str:
    """Create a finished run with a made-up result: `text`, or a file with status `file_status` that can't be
    fetched."""
    who, what = Member.objects.get(email=email), App.objects.select_related("schema").get(remote_id=remote_id)
    made = factories.make_run(who, what, status="completed").outputs.all()[0]
    if file_status:  # the retry is due tomorrow, so the portal leaves the file alone
        later = timezone.now() + timedelta(days=1)
        OutputFile.objects.create(output=made, source_url="https://x.test/a.png", status=file_status, due_at=later)
    made.text, made.kind = text, "text" if text else made.kind
    made.save()
    return made.public_id


def reply_to(email: str, result: str, about: str = "result") -> None:
    """Comment on the result as the member, then have a teammate reply to the comment and ask for changes. With `about`
    "run", the comment is about the whole run, and nobody asks for changes."""
    teammate = Member.objects.get(email=member("sam", "approver")["email"])
    output = Output.objects.select_related("run").get(public_id=result)
    share(output.run.public_id)
    output.run.refresh_from_db()
    on, asker = output if about == "result" else None, Reviewer(member=Member.objects.get(email=email))
    asked = comments.post(asker, output.run, on, "Is it too dark?")
    comments.post(Reviewer(member=teammate), output.run, on, "A little; see below.", parent=asked)
    if on is not None:  # a run's page leaves notices about its results unread
        verdicts.decide(output, "changes", "A little warmer, please.", Reviewer(member=teammate), None)


def mail_now() -> None:
    """Make the worker email all pending notices now, as if their two-minute delay were over."""
    Notice.objects.filter(mail=None, mail_due_at__isnull=False).update(mail_due_at=timezone.now())
    mails.MAILS.request()


def results(run: str) -> list[str]:
    """Return the ids of the run's results, in order."""
    return list(Output.objects.filter(run__public_id=run).values_list("public_id", flat=True))


def run(run: str) -> dict[str, Any]:
    """Return the run as the portal sees it."""
    found = Run.objects.get(public_id=run)
    files = OutputFile.objects.filter(output__run=found, status="saving")
    saving = [f"{file.source_url} attempt {file.attempts}, due {file.due_at}: {file.error}" for file in files]
    is_final = "" if found.is_active else "final"
    state = state_of(found).key
    return {"remote_id": found.remote_id, "final": is_final, "status": found.status, "state": state, "saving": saving}


def share(run: str, is_shared: bool = True) -> None:
    """Share the run with the team, or make it private again."""
    Run.objects.filter(public_id=run).update(shared_at=timezone.now() if is_shared else None)


def unshare_active() -> None:
    """Make all runs in progress private again."""
    Run.objects.active().update(shared_at=None)


def usually_take(quick: float | None, late: float | None) -> None:
    """Set how many seconds runs of every app usually take (10th and 95th percentile), and make sure that no run counts
    as slow."""
    App.objects.update(quick_seconds=quick, late_seconds=late, usual_seconds=None, slow_seconds=None)


def run_of(result: str) -> str:
    """Return the id of the run that made the result."""
    return Output.objects.select_related("run").get(public_id=result).run.public_id


def bin_all(email: str) -> list[str]:
    """Move all of the member's finished runs to the bin; return their ids."""
    who = Member.objects.get(email=email)
    gone = Run.objects.owned_by(who).filter(status="completed")
    ids = list(gone.values_list("public_id", flat=True))
    bin.move_to_bin(gone, who, timezone.now())
    return ids


def page(template: str) -> str:
    """Render a page that needs only its template, or the page for server errors."""
    if template == "500.html":
        return error_page.page_broke(RequestFactory().get("/history/")).content.decode()
    return render_to_string(template)


def link(run: str) -> str:
    """Create a guest link to the run's ready results; return the link's path."""
    shown = Run.objects.get(public_id=run)
    made = links.make_link(shown.member, links.outputs_for(shown.member, [o.public_id for o in shown.outputs.all()]))
    return f"/s/{secret_links.token_of(secret_links.Purpose.GUEST, made.nonce)}/"


def addresses(email: str, run: str) -> list[str]:
    """Return the paths of the pages about a teammate, one of the member's presets and a guest link to their run, and of
    the pages where members and guests unsubscribe from emails."""
    who, made = Member.objects.get(email=email), Run.objects.select_related("app").get(public_id=run)
    mate = Member.objects.get(email=member("sam", "approver")["email"]).public_id
    name = f"Preset {next(numbers)}"
    preset = presets.save_preset(Preset(member=who, app=made.app, name=name, answers=made.answers))
    shown = links.make_link(who, links.outputs_for(who, [o.public_id for o in made.outputs.all()]))
    kim = GuestContact.objects.create(guest=guest_of(shown), email="kim@example.com")
    of_mate = ("manage-person", "person-deactivate", "person-transfer", "manage-limit")
    return [
        *(reverse(f"runs:{page}", args=[mate]) for page in of_mate),
        reverse("runs:preset-edit", args=[preset.public_id]),
        reverse("runs:link-detail", args=[shown.public_id]),
        reverse("runs:mail-stop", args=[unsubscribe.sign(who, ["mention"])]),
        urlsplit(unsubscribe.address_for_guest(kim)).path,
    ]


def ways_in(email: str) -> list[str]:
    """As the member, who must be an admin, create one link for joining and one for setting a new password; return their
    paths."""
    who, kim = Member.objects.get(email=email), f"kim-{next(numbers)}@example.com"
    made = [invites.address_of(invites.invite(who, kim, "Kim", "maker")), passwords.link_to_hand_over(who)]
    return [urlsplit(address).path for address in made]


def ask_anyone(result: str) -> None:
    """Have a teammate ask anyone for a decision on the result."""
    teammate = Member.objects.get(email=member("sam", "approver")["email"])
    output = Output.objects.select_related("run").get(public_id=result)
    share(output.run.public_id)
    requests.ask(teammate, [output], message="For the shop window")


def close_requests() -> int:
    """Close any requests for decisions left over from other tests, so that a reviewer sees only those from the current
    test."""
    return ReviewRequest.objects.open().update(closed_at=timezone.now())


def change_form(remote_id: str) -> None:
    """Create another version of the app's form with the same questions, as if its author had changed the app."""
    what = App.objects.select_related("schema").get(remote_id=remote_id)
    assert what.schema
    fresh = what.schema
    fresh.pk, fresh.version = None, new_public_id()
    fresh.save()
    what.schema = fresh
    what.save()


def forget_searches() -> int:
    """Make it look as if nobody had searched on Lamina for a while; return a number that no other search has used."""
    AppSearch.objects.all().delete()
    RequestWindow.objects.filter(pk=lamina_search.TURNS_ID).delete()
    return next(numbers)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        *(
            chat_off,
            has_catalog,
            member,
            look,
            demo_person,
            session,
            expire,
            forget_password,
            app,
            has_form,
            start,
            draft,
            example,
            forget_examples,
            stay,
            fill_history,
        ),
        *(
            result,
            reply_to,
            mail_now,
            results,
            run,
            share,
            unshare_active,
            usually_take,
            run_of,
            bin_all,
            page,
            link,
            addresses,
            ways_in,
            ask_anyone,
            close_requests,
            change_form,
            forget_searches,
        ),
    )
}


def main() -> None:
    for line in sys.stdin:
        try:
            name, values = json.loads(line)
            answer = {"value": FUNCTIONS[name](**values)}
        except Exception:  # noqa: BLE001 - the test must see any error
            answer = {"error": traceback.format_exc()}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
