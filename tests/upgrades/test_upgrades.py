"""Databases filled by earlier commits can be upgraded: nothing is lost, everything opens, and queued tasks run.

db182cd is from before queued tasks were signed JSON, 2ae94db from before the code was sorted by subject.
"""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import engines
from tests.support.processes import free_port, wait_until
from tests.support.web_servers import gunicorn
from tests.upgrades.old_portal import Browser, OldPortal, old_portal

pytestmark = [pytest.mark.whole, pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs Linux's /proc")]
COMMITS = ["db182cd", "2ae94db"]
PICKLED = "db182cd"  # its queue contains pickles, which the portal doesn't read any more
CHANGING = {"runs_lease", "runs_heartbeat", "runs_signinattempt"}  # the rows of these tables are temporary


@pytest.fixture(scope="module", params=engines.parameters(*COMMITS))
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OldPortal]:
    """Upgrade an old portal, and check that nothing was lost. Upgrading takes several seconds, so each portal is
    upgraded only once."""
    commit, engine = request.param.split("-")
    with old_portal(commit, engine, tmp_path_factory.mktemp("upgrade")) as portal:
        before, portal.session_keys = portal.ids(), session_keys(portal)
        assert len(before["runs_run"]) >= 18
        portal.home.manage("migrate", "--verbosity", "0")
        assert_all_there(portal, before)
        portal.home.collect_static()
        portal.keep()
        yield portal


@pytest.fixture
def portal(upgraded: OldPortal) -> OldPortal:
    """The portal right after the upgrade, whatever other tests did to it."""
    upgraded.go_back()
    return upgraded


@pytest.fixture
def url(portal: OldPortal) -> Iterator[str]:
    """Start the web server of the upgraded portal; yield its address."""
    with gunicorn(portal.home, free_port()) as url:
        yield url


def assert_all_there(portal: OldPortal, before: dict[str, set[object]], *but: str) -> None:
    """Check that every row in `before` is still in its table, ignoring the tables in `but`."""
    after = portal.ids()
    lost = {table: ids - after.get(table, set()) for table, ids in before.items() if table not in but}
    assert {table: ids for table, ids in lost.items() if ids} == {}


def session_keys(portal: OldPortal) -> list[str]:
    return [key for (key,) in portal.rows("SELECT session_key FROM django_session")]


def people(portal: OldPortal, url: str) -> dict[int, Browser]:
    """Return a signed-in browser for everybody who may sign in, keyed by member id."""
    rows = portal.rows("SELECT id, email FROM runs_member WHERE is_active")
    return {number: Browser(url, mail.partition("@")[0]) for number, mail in rows}


def test_everything_opens(portal: OldPortal, url: str) -> None:
    browsers = people(portal, url)
    admin = browsers[portal.rows("SELECT id FROM runs_member WHERE role = 'admin'")[0][0]]
    runs_open(portal, browsers)
    files_open(portal, browsers)
    what_people_keep_opens(portal, browsers)
    guest_links_are_as_they_were(portal, browsers, url)
    for (person,) in portal.rows("SELECT public_id FROM runs_member"):
        admin.page(f"/manage/people/{person}/")
    assert "nora@example.com" in admin.page("/manage/people/")
    # Open only one page per session: although the row's time was moved to now, its signed content keeps its real age
    # and may expire.
    assert portal.session_keys
    for session in portal.session_keys:
        assert Browser(url, session=session).get("/me/").url == f"{url}/me/"
    for hashed in session_keys(portal):
        assert Browser(url, session=hashed).get("/me/").url != f"{url}/me/"


def runs_open(portal: OldPortal, browsers: dict[int, Browser]) -> None:
    """Check that every run and result opens for its owner, and that its maker is known, even after a transfer."""
    runs = portal.rows("SELECT id, public_id, member_id, app_name, deleted_at FROM runs_run")
    for number, run, owner, _, deleted_at in runs:
        if deleted_at:
            assert run in browsers[owner].page("/bin/")
            continue
        browsers[owner].page(f"/runs/{run}/")
        done = f"SELECT public_id FROM runs_output WHERE run_id = {number} AND status = 'completed'"  # noqa: S608
        for (output,) in portal.rows(done):
            browsers[owner].page(f"/files/{output}/")
    unsaved = "EXISTS (SELECT 1 FROM runs_outputfile f WHERE f.output_id = o.id AND f.status <> 'saved')"
    without = f"SELECT o.id FROM runs_output o WHERE status = 'completed' AND content_hash = '' AND NOT {unsaved}"  # noqa: S608
    assert portal.rows(without) == []
    makers = portal.rows(
        "SELECT app_name, made.name, owner.name FROM runs_run JOIN runs_member made ON made.id = made_by_id "
        "JOIN runs_member owner ON owner.id = member_id"
    )
    assert len(makers) == len(runs)
    assert [row for row in makers if row[1] != row[2]] == [("Test card: no inputs", "Leo", "Bob")]


def files_open(portal: OldPortal, browsers: dict[int, Browser]) -> None:
    """Check that every input and result file is served byte for byte, and that a file whose bytes weren't stored gets a
    404."""
    results = (
        "SELECT f.public_id, f.file, f.sha256, r.member_id FROM runs_outputfile "
        "JOIN runs_storedfile f ON f.id = file_id JOIN runs_output o ON o.id = output_id "
        "JOIN runs_run r ON r.id = o.run_id WHERE r.deleted_at IS NULL"
    )
    uploads = (
        "SELECT f.public_id, f.file, f.sha256, member_id FROM runs_upload JOIN runs_storedfile f ON f.id = file_id"
    )
    found = portal.rows(f"{results} UNION {uploads}")
    served = {}
    for file, name, digest, owner in found:
        answer = browsers[owner].get(f"/files/{file}/original")
        served[name] = answer.status_code
        if name in portal.files:
            assert hashlib.sha256(answer.content).hexdigest() == digest
            assert answer.content == base64.b64decode(portal.files[name])
    assert served == {name: 200 if name in portal.files else 404 for name in served}
    assert len([name for name in served if name in portal.files]) >= 9


def what_people_keep_opens(portal: OldPortal, browsers: dict[int, Browser]) -> None:
    """Check that saved views open, presets open with their values, and drafts open with what was typed."""
    app = "(SELECT public_id FROM runs_app WHERE runs_app.id = app_id)"
    for preset, owner, answers in portal.rows("SELECT public_id, member_id, answers FROM runs_preset"):
        browsers[owner].page(f"/presets/{preset}/")
        assert "Crème" not in str(answers) or "Crème brûlée" in browsers[owner].page(f"/presets/{preset}/")
    for app_id, owner in portal.rows(f"SELECT {app}, member_id FROM runs_draft"):  # noqa: S608
        form = browsers[owner].page(f"/apps/any-{app_id}/")
        assert "half a sen" in form or "later" in form
    for query, owner, name in portal.rows("SELECT query, member_id, name FROM runs_savedview"):
        assert name in browsers[owner].page(f"/history/?{query}")


def guest_links_are_as_they_were(portal: OldPortal, browsers: dict[int, Browser], url: str) -> None:
    """Check that active links open, revoked and expired ones say so, and each has a page for its maker."""
    rows = portal.rows("SELECT public_id, member_id, revoked_at, audience, views FROM runs_guestlink ORDER BY id")
    assert {row[0] for row in rows} == set(portal.facts["guest_links"])
    for link, owner, _, _, _ in rows:
        browsers[owner].page(f"/shares/{link}/")
    answers = [Browser(url).get(f"/s/{portal.facts['guest_links'][row[0]]}/").status_code for row in rows]
    assert answers[:4] == [200, 200, 410, 410]
    assert [(row[3], row[4] > 1) for row in rows if row[3]] == [("Kim at Acme", True)]


def test_queued_tasks_are_run(portal: OldPortal, url: str) -> None:
    queued = portal.ids()
    balance_at, catalog_at = portal.rows("SELECT balance_at, catalog_at FROM runs_laminastatus")[0]
    waiting = "SELECT count(*) FROM runs_run WHERE status IN ('starting', 'queued', 'running') OR due_at IS NOT NULL"
    assert portal.rows(waiting)[0][0] == 4

    worker = portal.home.start("worker")

    wait_until(lambda: not portal.ids()["django_q_ormq"] & queued["django_q_ormq"], "every queued task to be run")
    wait_until(lambda: portal.rows(waiting)[0][0] == 0, "runs in progress to end")
    runs_ended_as_they_should(portal)
    wait_until(lambda: not portal.rows("SELECT 1 FROM runs_outputfile WHERE status = 'saving'"), "files to be saved")
    wait_until(lambda: not portal.rows("SELECT 1 FROM runs_upload WHERE status <> 'ready'"), "the link to be fetched")
    late = f"balance_at > '{balance_at}' AND catalog_at > '{catalog_at}'"
    wait_until(lambda: portal.rows(f"SELECT 1 FROM runs_laminastatus WHERE {late}"), "list and balance")  # noqa: S608
    assert portal.home.output().count("Dropped a queued task") == (
        len(queued["django_q_ormq"]) if portal.commit == PICKLED else 0
    )
    what_only_people_wait_for(portal, url)
    assert "Traceback" not in portal.home.output()
    worker.terminate()
    assert worker.wait(60) == 0
    assert_all_there(portal, queued, "django_q_ormq", *CHANGING)


def runs_ended_as_they_should(portal: OldPortal) -> None:
    """Check that each run ended through its queued task: a start, a check of an unclear start, a cancel, the poller."""
    rows = portal.rows("SELECT app_name, status, remote_id FROM runs_run WHERE id >= 13 ORDER BY id")
    assert [(name, status) for name, status, _ in rows[:6]] == [
        ("Test card: ready at once", "completed"),
        ("Test card: a long text", "checking"),  # this run is still waiting for a person
        ("Test card: text with markup", "completed"),
        ("Test card: outputs of one name", "completed"),
        ("Test card: 25 options", "cancelled"),
        ("Légendes & Captions", "completed"),
    ]
    at_lamina = [run.run_id for run in portal.sandbox.world.newest_first()]
    assert len(at_lamina) == len(portal.facts["sandbox"]) - uploads_at(portal) + 1  # each run was started exactly once
    assert {remote for _, _, remote in rows if remote} <= set(at_lamina)


def uploads_at(portal: OldPortal) -> int:
    return len([record for record in portal.facts["sandbox"] if record["kind"] == "upload"])


def mails(portal: OldPortal) -> str:
    return "".join(path.read_text() for path in (portal.home.folder.parent / "mails").glob("*"))


def what_only_people_wait_for(portal: OldPortal, url: str) -> None:
    """Check that queued tasks still produce what only people wait for: a form, a search, guest copies, a thumbnail,
    emails.

    Two pickled tasks left no trace in the rows, so they run only when they are requested again: the form when somebody
    opens its page, the email when its recipient asks for it.
    """
    opened = "SELECT public_id FROM runs_app WHERE name = 'Test card: twelve outputs'"
    if portal.commit == PICKLED:
        assert "Subject" not in mails(portal)
        Browser(url, "petra").page(f"/apps/any-{portal.rows(opened)[0][0]}/")
        assert Browser(url).post("/password/reset/", email="bob@example.com").status_code == 200
    else:
        wait_until(lambda: "Subject: New sign-in to" in mails(portal), "the mail about a sign-in")
        wait_until(lambda: portal.rows("SELECT 1 FROM runs_appsearch WHERE answered_at IS NOT NULL"), "the search")
        copies = "SELECT 1 FROM runs_guestcopy WHERE id > 3 AND status = 'ready'"
        wait_until(lambda: len(portal.rows(copies)) == 2, "copies for the guests of the newest link")
        due = "SELECT 1 FROM runs_storedfile WHERE picture_due_at IS NOT NULL"
        wait_until(lambda: not portal.rows(due), "the thumbnail")
    wait_until(lambda: "Subject: Set a new password" in mails(portal), "the mail with the link")
    wait_until(lambda: portal.rows(f"{opened} AND schema_id IS NOT NULL"), "the form that was opened")
