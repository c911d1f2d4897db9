"""Fills a fixture's portal before it is saved: people, runs in every state, and a queue."""

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.upgrades.known import PASSWORD, SANDBOX_PORT
from tests.upgrades.old_visits import BROWSER, Person, app_called, posted, rows, token_in, watch, work

PEOPLE = {"alice": "maker", "bob": "maker", "petra": "approver", "vera": "viewer", "leo": "maker"}
PASSPHRASE = "harbour lights"
STAMP = (48, 48)


def sandbox_of(folder: Path) -> tuple[Any, Callable[..., None]]:
    """Return a sandbox that stores its runs in `folder`, and its control API."""
    import requests

    from runs.sandbox.server import start_sandbox

    sandbox = start_sandbox(SANDBOX_PORT, folder, seconds=0.3, per_minute=1000)

    def order(path: str, **values: Any) -> None:
        requests.post(f"{sandbox.url}/control/{path}", json=values, timeout=60).raise_for_status()

    return sandbox, order


def fill(folder: Path) -> dict[str, str]:
    """Do all the steps in order; return the tokens of the guest links by their public ids."""
    from runs import tasks

    sandbox, order = sandbox_of(folder / "lamina")
    people = join()
    tasks.refresh_catalog()
    work()
    runs = make_runs(people, order)
    shrink(is_catalog=False)
    keep_in_order(people, runs)
    share(people, runs)
    collect(people, runs)
    leave(people)
    start_and_stop(people, order)
    queue_more(people, sandbox.url)
    shrink(is_catalog=True)
    sandbox.stop()
    return {link: token for person in people.values() for link, token in person.tokens.items()}


def join() -> dict[str, Person]:
    """Have an admin invite everybody; all but two join."""
    rows("Member").create_user("ada@example.com", PASSWORD, name="Ada", role="admin")
    people = {"ada": Person("ada").sign_in()}
    for name, role in {**PEOPLE, "nora": "maker", "olaf": "viewer"}.items():
        people["ada"].post("/manage/people/", email=f"{name}@example.com", name=name.title(), role=role)
        invite = rows("Invite").get(email=f"{name}@example.com")
        if name == "olaf":
            people["ada"].post(f"/manage/people/invites/{invite.public_id}/revoke/")
        if name in PEOPLE:
            token = token_in(people["ada"].get(f"/manage/people/?invite={invite.public_id}"), "/invite/")
            people[name] = Person(name)
            people[name].post(f"/invite/{token}/", name=name.title(), password=PASSWORD)
    Person("bob").sign_in().post("/logout/")
    people["alice"].post("/me/", name="Alice", theme="dark", has_shortcuts="on")
    return people


def make_runs(people: dict[str, Person], order: Callable[..., None]) -> dict[str, Any]:
    """Make a run in each final state."""
    alice, bob, leo, petra = (people[name] for name in ("alice", "bob", "leo", "petra"))
    runs = {
        "picture": alice.press("Cartoonify!"),
        "words": alice.press("Légendes & Captions", p0="Crème brûlée über den Wolken"),
        "partly": bob.press("Test card: half fails", p0="a lighthouse"),
        "failed": bob.press("Test card: always fails", p0="a storm"),
        "nothing": bob.press("Test card: completed with nothing", p0="an empty box"),
        "film": petra.press("Test card: video thumbnail", p0="a train"),
        "by leo": leo.press("Test card: no inputs"),
        "binned": alice.press("Test card: no description", p0="thrown away"),
    }
    watch()
    runs["again"] = alice.press("Test card: no description", p0="thrown away")
    watch()
    order("script", seconds=3600)
    runs["cancelled"] = alice.press("Test card: odd labels", p3="to be stopped ")
    work()
    alice.post(f"/runs/{runs['cancelled'].public_id}/cancel/")
    watch()
    page = bob.get(f"/runs/{runs['partly'].public_id}/")
    token = re.search(r'retry-failed/.*?name="token" value="([^"]+)"', page, re.S)
    assert token is not None
    bob.post(f"/runs/{runs['partly'].public_id}/retry-failed/", token=token[1])
    watch()
    page = alice.get(f"/runs/{runs['picture'].public_id}/again/")
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None
    alice.post(f"/runs/{runs['picture'].public_id}/again/", token=token[1])
    watch()
    return runs


def shrink(*, is_catalog: bool) -> None:
    """Shrink the stored pictures, so that they can be saved next to the rows."""
    from django.conf import settings
    from PIL import Image

    for stored in rows("StoredFile").filter(kind="image", is_catalog=is_catalog):
        smaller = (stored.thumb_200.name, stored.thumb_400.name, stored.thumb_1200.name)
        for name in filter(None, (stored.file.name, *smaller)):
            path = Path(settings.MEDIA_ROOT) / name
            with Image.open(path) as picture:
                form = picture.format
                small = picture.copy()
            small.thumbnail(STAMP)
            small.save(path, form)
        data = (Path(settings.MEDIA_ROOT) / stored.file.name).read_bytes()
        with Image.open(Path(settings.MEDIA_ROOT) / stored.file.name) as picture:
            stored.width, stored.height = picture.size
        stored.size_bytes, stored.sha256 = len(data), hashlib.sha256(data).hexdigest()
        stored.save()


def keep_in_order(people: dict[str, Person], runs: dict[str, Any]) -> None:
    """Add titles, stars, saved views, a run in the bin, and an admin's rules."""
    alice, bob, ada = people["alice"], people["bob"], people["ada"]
    alice.post(f"/runs/{runs['picture'].public_id}/rename/", title="Autumn shoes — für Zoë")
    alice.post(f"/runs/{runs['picture'].public_id}/star/", on="1")
    alice.post(f"/files/{runs['words'].outputs.first().public_id}/star/", on="1")
    alice.post(f"/runs/{runs['binned'].public_id}/delete/")
    alice.post("/history/views/", name="Pictures of bob", query=f"tab=team&kind=image&by={bob.member.public_id}")
    bob.post("/history/views/", name="Failed ones", query="state=failed")
    ada.post("/manage/keeping/", ready_days="900", failed_days="400")
    ada.post("/manage/sharing/", guests_allowed="on", link_makers="maker", longest_days="90")


def share(people: dict[str, Person], runs: dict[str, Any]) -> None:
    """Share runs with the team, and with guests through links that are open, need a passphrase, are revoked or have
    expired."""
    from django.utils import timezone

    alice, petra = people["alice"], people["petra"]
    for name in ("picture", "words"):
        alice.post(f"/runs/{runs[name].public_id}/share/", who="team")
    petra.post(f"/runs/{runs['film'].public_id}/share/", who="team")
    first = guest_link(alice, runs["picture"], audience="Kim at Acme", message="Which one?", may_download="on")
    closed = guest_link(alice, runs["words"], passphrase=PASSPHRASE, shows_inputs="on", shows_app="on")
    revoked = guest_link(petra, runs["film"])
    petra.post(f"/shares/{revoked.public_id}/revoke/")
    ended = guest_link(alice, runs["again"])
    work()
    for number, link in enumerate((first, first, closed), start=1):
        visit(alice.tokens[link.public_id], f"203.0.113.{number}", PASSPHRASE if link == closed else "")
    rows("GuestLink").filter(pk=ended.pk).update(expires_at=timezone.now() - timedelta(days=1))


def guest_link(person: Person, run: Any, **options: str) -> Any:
    """Create a guest link to all results of `run`, with the given options, and return it."""
    from django.utils import timezone

    person.post("/shares/new/", run=run.public_id)
    link = rows("GuestLink").latest("pk")
    person.tokens[link.public_id] = token_in(person.get(f"/shares/{link.public_id}/"), "/s/")
    chosen = list(link.outputs.values_list("public_id", flat=True))
    day = timezone.localdate() + timedelta(days=80)
    person.post(
        f"/shares/{link.public_id}/", o=chosen, last_day=day.isoformat(), **{"audience": "", "message": ""} | options
    )
    return link


def visit(token: str, place: str, passphrase: str) -> None:
    """Open a link as a guest at the IP address `place`, entering its passphrase."""
    from django.test import Client

    browser = Client(SERVER_NAME="127.0.0.1", REMOTE_ADDR=place, headers={"User-Agent": BROWSER})
    path = f"/s/{token}/"
    answer = browser.post(path, {"passphrase": passphrase}) if passphrase else browser.get(path)
    assert answer.status_code == 200, answer.status_code


def collect(people: dict[str, Person], runs: dict[str, Any]) -> None:
    """Create personal and team presets, drafts with files, and a file that no run has used."""
    alice, bob = people["alice"], people["bob"]
    alice.post(f"/presets/new/?from={runs['picture'].public_id}", name="Our look", is_team="1")
    alice.post(f"/presets/new/?from={runs['words'].public_id}", name="Clouds")
    bob.post(f"/presets/new/?from={runs['partly'].public_id}", name="Clouds")
    for person, name, words in (
        (alice, "🎬 Quick Reel Maker", "half a sen"),
        (bob, "Test card: no description", "later"),
    ):
        app = app_called(name)
        pairs, files = person.form_of(app).filled()
        person.post(f"/drafts/{app.public_id}/", **posted(pairs, files, {"p0": words}))
    app = app_called("Cartoonify!")
    _, files = alice.form_of(app).filled()
    person_files = posted([], files, {})
    alice.post("/uploads/", app=app.public_id, field="p0", file=next(iter(person_files.values())))
    work()


def leave(people: dict[str, Person]) -> None:
    """Have one person leave, and transfer their runs to another."""
    leo = people["leo"].member
    people["ada"].post(f"/manage/people/{leo.public_id}/deactivate/")
    people["ada"].post(f"/manage/people/{leo.public_id}/hand-over/", to=people["bob"].member.public_id)


def start_and_stop(people: dict[str, Person], order: Callable[..., None]) -> None:
    """Start runs that stay in progress. Their next steps and the poller's task stay in the queue."""
    from django.utils import timezone

    from runs import tasks

    alice, bob = people["alice"], people["bob"]
    # This run has ended, but its files still have to be fetched.
    bob.press("Test card: ready at once", p0="files to come")
    work()
    tasks.poll()
    # This start is unclear, so a person has to decide: the response was lost, and somebody else has started a run of
    # the same app.
    order("faults", endpoint="run_start", fault="drop_after")
    asked = alice.press("Test card: a long text", p0="which of them?")
    work()
    stranger(app_called("Test card: a long text").remote_id)
    look(asked.pk)
    # This start is unclear too; the portal will look for its run in a moment.
    order("faults", endpoint="run_start", fault="drop_after")
    doubtful = bob.press("Test card: text with markup", p0="was it started?")
    work()
    # These two runs are on Lamina; one of them is to be cancelled.
    order("script", seconds=20)
    alice.press("Test card: outputs of one name", p0="in progress")
    work()
    order("script", seconds=3600)
    stopped = bob.press("Test card: 25 options")
    work()
    # Run was pressed, but nothing has been sent yet. From here on, no more tasks are run.
    alice.press("Légendes & Captions", p0="only just pressed")
    bob.post(f"/runs/{stopped.public_id}/cancel/")
    rows("Run").filter(pk=doubtful.pk).update(due_at=timezone.now() - timedelta(seconds=1), rung_at=None)
    tasks.sweep()


def stranger(app_id: str) -> None:
    """As another client of the workspace, start a run of the same app."""
    import requests

    url = f"http://127.0.0.1:{SANDBOX_PORT}/v1/apps/{app_id}/runs"
    headers = {"x-api-key": "lma_sandbox"}
    requests.post(url, json={"inputs": {"Idea": "theirs"}}, headers=headers, timeout=60).raise_for_status()


def look(run_id: int) -> None:
    """Make the next check of an unclear run due, and run it."""
    from django.utils import timezone

    from runs import tasks

    rows("Run").filter(pk=run_id).update(due_at=timezone.now() - timedelta(seconds=10), rung_at=None)
    tasks.check_run(run_id)


def queue_more(people: dict[str, Person], url: str) -> None:
    """Queue the other kinds of tasks by triggering them. Kinds that the commit doesn't have are skipped."""
    from django.utils import timezone
    from django_q.tasks import async_task

    from runs import tasks

    alice, petra = people["alice"], people["petra"]
    app = app_called("Cartoonify!")
    source = rows("OutputFile").filter(source_url__startswith=url).earliest("pk").source_url
    alice.post("/uploads/", app=app.public_id, field="p0", link=source)
    petra.get(app_called("Test card: twelve outputs").get_absolute_url())
    Person("bob").post("/password/reset/", email="bob@example.com")
    for name in ("refresh_catalog", "complete_catalog", "refresh_balance", "pulse"):
        async_task(f"runs.tasks.{name}")
    tasks.request_clearing()
    if hasattr(tasks, "check_app"):
        async_task("runs.tasks.check_app", app.pk)
    if hasattr(tasks, "search_lamina"):
        alice.get("/apps/lamina/?q=a+picture+of+a+garden")
    if hasattr(tasks, "send_new_browser_mail"):
        Person("petra").sign_in()
    if hasattr(tasks, "copy_for_guests"):
        guest_link(alice, alice.member.runs.filter(app=app).latest("pk"), may_download="on")
    if hasattr(tasks, "make_small_pictures"):
        photo = rows("Upload").filter(status="ready").latest("pk").file
        rows("StoredFile").filter(pk=photo.pk).update(picture_due_at=timezone.now())
        tasks.sweep()
