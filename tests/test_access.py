"""Who may see what: every address as nobody, stranger, teammate, owner and admin."""

import re

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from runs.models import App, Member, Output, OutputFile, Run, StoredFile, Upload
from tests.conftest import client_of
from tests.factories import make_app, make_run, make_stored

pytestmark = pytest.mark.django_db

# address name: (method, nobody, stranger, owner, admin who does not own it); nobody is redirected to the sign-in page
# when reading (302), and gets it as the answer to a change (200), with what was posted kept in it
EXPECTED = {
    "runs:home": ("get", 302, 200, 200, 200),
    "runs:app-list": ("get", 302, 200, 200, 200),
    "runs:app-detail": ("get", 302, 200, 200, 200),
    "runs:draft-save": ("post", 200, 204, 204, 204),
    "runs:draft-clear": ("post", 200, 302, 302, 302),
    "runs:app-news": ("get", 302, 302, 302, 302),
    "runs:history": ("get", 302, 200, 200, 200),
    "runs:run-detail": ("get", 302, 404, 200, 200),
    "runs:run-status": ("get", 302, 404, 200, 200),
    "runs:run-cancel": ("get", 302, 404, 200, 200),
    "runs:run-start-again": ("post", 200, 404, 302, 302),
    "runs:run-leave": ("post", 200, 404, 302, 302),
    "runs:hook": ("post", 503, 503, 503, 503),  # no sign-in: the path and a signature are the proof
    "runs:manage": ("get", 302, 404, 404, 200),
    "runs:live": ("get", 302, 204, 204, 204),
    "runs:file-original": ("get", 302, 404, 200, 200),
    "runs:file-thumb": ("get", 302, 404, 200, 200),
    "runs:upload-create": ("post", 200, 422, 422, 422),
    "runs:upload-detail": ("get", 302, 404, 200, 404),
    "login": ("get", 200, 302, 302, 302),
    "logout": ("post", 200, 302, 302, 302),
    "healthz": ("get", 200, 200, 200, 200),
}


def all_names(patterns: list[URLPattern | URLResolver], prefix: str = "") -> set[str]:
    names: set[str] = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            names |= all_names(pattern.url_patterns, f"{pattern.namespace}:" if pattern.namespace else prefix)
        else:
            names.add(f"{prefix}{pattern.name}")
    return names


def test_every_address_has_a_row() -> None:
    assert all_names(get_resolver().url_patterns) == set(EXPECTED)


class World:
    """Alice's app, run, file and upload."""

    def __init__(self, owner: Member, file: StoredFile) -> None:
        self.app: App = make_app()
        self.run: Run = make_run(owner, self.app, status="completed")
        output = Output.objects.filter(run=self.run).first()
        assert output is not None
        OutputFile.objects.create(output=output, source_url="https://x.test/a.png", status="saved", file=file)
        self.file = file
        self.upload = Upload.objects.create(member=owner, file=file, status="ready", name="a.png")

    def address(self, name: str) -> str:
        ids = {"app": self.app.public_id, "run": self.run.public_id, "file": self.file.public_id}
        arguments: dict[str, list[str | int]] = {
            "runs:app-detail": [self.app.slug, ids["app"]],
            "runs:draft-save": [ids["app"]],
            "runs:draft-clear": [ids["app"]],
            "runs:app-news": [ids["app"]],
            "runs:file-original": [ids["file"]],
            "runs:file-thumb": [ids["file"], 200],
            "runs:hook": [self.run.hook_token],
            "runs:upload-detail": [self.upload.public_id],
        }
        own = [ids["run"]] if name.startswith("runs:run-") else []
        return reverse(name, args=arguments.get(name, own))

    def data(self, name: str) -> dict[str, str]:
        return {"app": self.app.public_id, "field": "p0"} if name == "runs:upload-create" else {}


@pytest.fixture
def world(alice: Member) -> World:
    return World(alice, make_stored())


@pytest.mark.parametrize("name", sorted(EXPECTED))
@pytest.mark.parametrize("who", ["nobody", "bob", "alice", "admin"])
def test_the_walk(name: str, who: str, world: World, alice: Member, bob: Member, admin_member: Member) -> None:
    method, *expected = EXPECTED[name]
    people = {"nobody": None, "bob": bob, "alice": alice, "admin": admin_member}
    member = people[who]
    client = client_of(member) if member else Client()

    answer = getattr(client, str(method))(world.address(name), world.data(name))

    assert answer.status_code == expected[list(people).index(who)], (name, who)
    if member is None and method == "post" and name != "runs:hook":
        assert 'name="password"' in answer.content.decode()


@pytest.mark.parametrize("name", sorted(n for n, row in EXPECTED.items() if row[0] == "post" and n != "runs:hook"))
def test_changes_need_the_csrf_token(name: str, world: World, alice: Member) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)

    assert client.post(world.address(name), world.data(name)).status_code == 403


def test_no_page_loads_anything_foreign(world: World, alice: Member) -> None:
    client = client_of(alice)

    for name, row in EXPECTED.items():
        if row[0] == "get" and row[3] == 200 and not name.startswith(("runs:file", "healthz")):
            page = client.get(world.address(name)).content.decode()
            assert not re.search(r'(?:src|srcset|poster|data)="(?:https?:)?//', page), name
