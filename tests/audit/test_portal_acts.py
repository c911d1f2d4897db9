"""Everything that tasks and commands do is recorded, except for listed exemptions, each with a reason."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands, load_command_class
from django.utils import timezone

from runs import tasks
from runs.audit.commands import NamedCommand
from runs.engine import progress
from runs.engine.save_outputs import GIVE_UP_AFTER
from runs.history.bin import KEPT_FOR
from runs.models import App, Entry, Member, Output, OutputFile, RetentionRules, Run, Upload, Verb
from runs.models.messages import Message
from runs.notices.channels import set_channel, switch_off
from tests.support.cartoonify import known_app, press
from tests.support.factories import make_run, make_stored
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)

_NEWS = "news of Lamina's apps, keys or credits, which nobody here brought about"
_QUEUES = "it only queues other tasks"
_FILES = "it makes copies of what is there already"
_MAIL = "it tells people what is recorded where it happened"
_SEARCH = "an answer to a search"
RECORDED_TASKS = {
    "submit_run": (Verb.RUN_SENT,),
    "check_run": (Verb.RUN_FOUND,),
    "cancel_run": (Verb.RUN_ENDED,),
    "poll": (Verb.RUN_ENDED,),
    "keep_files": (Verb.RESULT_GIVEN_UP,),
    "clear": (Verb.RUN_BINNED, Verb.RUN_PURGED, Verb.RESULT_PURGED, Verb.UPLOAD_PURGED, Verb.ENTRIES_REMOVED),
    "transfer_runs": (Verb.RUN_TRANSFERRED,),
    "send_chat": (Verb.CHAT_SWITCHED_OFF,),
    "pulse": (Verb.ALERTED,),
    "refresh_catalog": (Verb.APP_PAUSED, Verb.APP_RESUMED),
    "complete_catalog": (Verb.APP_PAUSED, Verb.APP_RESUMED),
    "check_app": (Verb.APP_PAUSED, Verb.APP_RESUMED),
    "refresh_app": (Verb.APP_PAUSED, Verb.APP_RESUMED),
}
EXEMPT_TASKS = {
    "sweep": _QUEUES,
    "request_catalog": _QUEUES,
    "request_clearing": _QUEUES,
    "refresh_keys": _NEWS,
    "refresh_balance": _NEWS,
    "read_account": _NEWS,
    "read_estimate": _NEWS,
    "search_lamina": _SEARCH,
    "make_small_pictures": _FILES,
    "copy_for_guests": _FILES,
    "fetch_links": "the upload was recorded when somebody added the link",
    "send_new_password_mail": _MAIL,
    "send_password_changed_mail": _MAIL,
    "send_new_browser_mail": _MAIL,
    "send_mails": _MAIL,
    "make_examples": "it presses Run as people do, which is recorded (RUN_STARTED)",
    "count_storage": "it only counts",
    "hide_inputs": "part of changing an app's rules (APP_SHAPED)",
    "tidy": "it removes what is old and was nobody's: drafts, ticks, sessions, counters of throttling, half a file",
}
RECORDED_COMMANDS = {
    "portal": "the first people (management.people)",
    "createsuperuser": "COMMAND_RUN",
    "changepassword": "COMMAND_RUN",
    "loaddata": "COMMAND_RUN",
    "shell": "COMMAND_RUN",
    "dbshell": "COMMAND_RUN",
}
_TOOL = "a tool for those who develop the portal"
_LOOKS = "it changes nothing"
EXEMPT_COMMANDS = {
    "worker": "what its tasks do is recorded there",
    "qcluster": "what its tasks do is recorded there",
    "lamina_sandbox": "another process, which knows nothing of the portal",
    "makemessages": _TOOL,
    "runserver": _TOOL,
    "collectstatic": "it copies the files of this version",
    "findstatic": _LOOKS,
    "qinfo": _LOOKS,
    "qmemory": _LOOKS,
    "qmonitor": _LOOKS,
    "clearsessions": "sessions that have expired already",
    "remove_stale_contenttypes": _TOOL,
}


def test_every_task_is_recorded_or_exempt() -> None:
    source = Path(tasks.__file__).read_text()
    names = {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    assert names == RECORDED_TASKS.keys() | EXEMPT_TASKS.keys()
    assert not RECORDED_TASKS.keys() & EXEMPT_TASKS.keys()


def test_every_command_is_recorded_or_exempt() -> None:
    """Django's own commands need an entry in the record only if they change what people see or may do."""
    ours = {name for name, app in get_commands().items() if app != "django.core"}
    assert ours == RECORDED_COMMANDS.keys() | EXEMPT_COMMANDS.keys()
    assert all(
        issubclass(load_command_class(get_commands()[name], name).__class__, NamedCommand) for name in RECORDED_COMMANDS
    )


def verbs_of(run: Run) -> list[tuple[str, str]]:
    found = Entry.objects.about("run", run.public_id).order_by("pk")
    return list(found.values_list("verb", "way"))


@pytest.fixture
def app(sandbox: SandboxDoor) -> App:
    return known_app()


@pytest.mark.parametrize(("failed", "state"), [(0, "ready"), (1, "partly")])
def test_a_run_is_recorded_when_it_is_started_sent_and_ended(
    alice: Member, app: App, sandbox: SandboxDoor, failed: int, state: str
) -> None:
    if failed:
        sandbox.control("script", outcome="partial", failed_outputs=list(range(failed)))
    run = press(alice, app)
    tasks.submit_run(run.pk)
    tasks.submit_run(run.pk)
    run.refresh_from_db()
    while not run.is_final:
        tasks.poll()
        run.refresh_from_db()
    assert [verb for verb, _ in verbs_of(run)] == [Verb.RUN_STARTED, Verb.RUN_SENT, Verb.RUN_ENDED]
    assert {way for _, way in verbs_of(run)[1:]} == {"worker"}
    ended = Entry.objects.get(verb=Verb.RUN_ENDED)
    assert ended.changes["status"][1] == state  # as pages say, not "Ready" if a result failed


def test_a_start_that_is_found_again_is_recorded_as_found(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    sandbox.control("faults", endpoint="run_start", fault="drop_after")
    run = press(alice, app)
    tasks.submit_run(run.pk)
    assert Run.objects.filter(status="checking").update(due_at=timezone.now())
    tasks.check_run(run.pk)
    assert [verb for verb, _ in verbs_of(run)] == [Verb.RUN_STARTED, Verb.RUN_FOUND]


def test_a_cancelled_run_is_recorded_when_somebody_asks_and_when_it_ends(
    alice: Member, app: App, sandbox: SandboxDoor
) -> None:
    sandbox.control("script", appId=None, times=1, outcome="never")
    run = press(alice, app)
    tasks.submit_run(run.pk)
    progress.ask_cancel(run, alice, timezone.now())
    progress.ask_cancel(run, alice, timezone.now())
    tasks.cancel_run(run.pk)
    assert [verb for verb, _ in verbs_of(run)][2:] == [Verb.RUN_CANCELLED, Verb.RUN_ENDED]


def test_a_file_that_is_given_up_is_recorded(alice: Member) -> None:
    run = make_run(alice, status="completed")
    long_ago = timezone.now() - GIVE_UP_AFTER
    output = run.outputs.all()[0]
    OutputFile.objects.create(output=output, source_url="https://127.0.0.1/a.png", status="saving", created_at=long_ago)
    tasks.keep_files()
    entry = Entry.objects.get(verb=Verb.RESULT_GIVEN_UP)
    assert (entry.object_kind, entry.object_id, entry.way) == ("result", output.public_id, "worker")


def test_a_run_that_goes_for_good_keeps_its_entries(alice: Member) -> None:
    run = make_run(alice, status="completed", title="Bottle", deleted_at=timezone.now() - KEPT_FOR - timedelta(days=1))
    tasks.clear()
    assert not Run.objects.exists()
    entry = Entry.objects.about("run", run.public_id).get()
    assert (entry.verb, entry.object_label, entry.way, entry.actor_id) == (Verb.RUN_PURGED, "Bottle", "worker", None)


def test_what_the_daily_cleanup_removes_is_recorded(alice: Member, app: App) -> None:
    long_ago = timezone.now() - timedelta(days=100)
    days = dict.fromkeys(("ready_days", "rejected_days", "uploads_days", "record_days"), 30)
    RetentionRules.objects.create(**days)
    old = make_run(alice, app, status="completed", created_at=long_ago, finished_at=long_ago)
    upload = Upload.objects.create(member=alice, file=make_stored(), status="ready", created_at=long_ago)
    photo = old.inputs.create(position=1, name="Photo", type="url", value=[])
    photo.links.create(upload=upload, position=0)
    rejected = make_run(alice, app, status="completed").outputs.all()[0]
    Output.objects.filter(pk=rejected.pk).update(verdict="rejected", removal_at=long_ago)
    tasks.clear()
    found = Entry.objects.filter(way=Entry.Way.WORKER).values_list("verb", "object_id")
    assert set(found) == {
        (Verb.RUN_BINNED, old.public_id),
        (Verb.RESULT_PURGED, rejected.public_id),
        (Verb.UPLOAD_PURGED, upload.public_id),
    }


def test_a_channel_that_is_turned_off_is_recorded_once() -> None:
    channel = set_channel("teams", "https://127.0.0.1/", [], [], "")
    for _ in range(2):
        switch_off(channel, Message("chat_address_unreadable"))
    entry = Entry.objects.get(verb=Verb.CHAT_SWITCHED_OFF)
    assert (entry.object_label, entry.way, entry.changes) == ("Microsoft Teams", "worker", {})


def test_a_command_that_makes_an_admin_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a long enough password")
    call_command("createsuperuser", email="new@example.com", interactive=False, verbosity=0)
    command, admin = Entry.objects.order_by("pk")
    assert (command.verb, command.way, command.object_label) == (Verb.COMMAND_RUN, "command", "createsuperuser")
    assert (admin.verb, admin.way, admin.object_label) == (Verb.PERSON_JOINED, "command", "new")


def test_a_shell_is_recorded_before_it_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str] = []

    def killed(*_: object, **__: object) -> None:
        found.extend(Entry.objects.values_list("object_label", flat=True))
        raise KeyboardInterrupt

    monkeypatch.setattr("django.core.management.commands.shell.Command.handle", killed)
    monkeypatch.setattr("django.core.management.commands.dbshell.Command.handle", killed)
    for name in ("shell", "dbshell"):
        with pytest.raises(KeyboardInterrupt):
            call_command(name)
    assert sorted(found) == ["dbshell", "shell", "shell"]
