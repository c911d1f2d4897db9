"""What a member writes for those who can't see or hear a result."""

import csv
import io
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from runs.models import GuestLink, Member, Output, Run, StoredFile
from runs.sharing import links, make_guest_copies
from tests.support.factories import make_kept, make_run
from tests.support.guest_links import page_of, path_of
from tests.support.html import flat

pytestmark = pytest.mark.django_db
SHOWS = 'A red shoe on a "white" table'
ALT = 'alt="A red shoe on a &quot;white&quot; table"'


@pytest.fixture
def run(alice: Member) -> Run:
    run = make_run(alice, status="completed", title="Red shoe")
    make_kept(run)
    make_kept(run, position=1)
    return run


@pytest.fixture
def output(run: Run) -> Output:
    return run.outputs.all()[0]


@pytest.fixture
def link(run: Run, alice: Member) -> GuestLink:
    link = links.make_link(alice, list(run.outputs.all()))
    GuestLink.objects.update(may_download=True)
    make_guest_copies.COPIES.run()
    return link


def pages(run: Run, output: Output) -> list[str]:
    """Return the paths of all pages for members where the result is seen or heard."""
    compared = ",".join(other.public_id for other in run.outputs.all())
    return [output.get_absolute_url(), run.get_absolute_url(), f"/compare/?f={compared}"]


def describe(client: Client, output: Output, text: str = SHOWS) -> str:
    answer = client.post(reverse("runs:result-describe", args=[output.public_id]), {"description": text})
    assert answer.status_code == 302
    return answer.headers["Location"]


def sheet_in(answer: Any, name: str) -> list[dict[str, str]]:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer)))
    return list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))


def test_a_picture_is_told_by_its_description_wherever_it_is_judged(
    run: Run, link: GuestLink, output: Output, as_alice: Client
) -> None:
    page = as_alice.get(output.get_absolute_url()).text
    assert ALT not in page
    assert "Write a description" in page

    assert describe(as_alice, output).endswith("#description")

    for path in pages(run, output):
        assert ALT in as_alice.get(path).text, path
    assert ALT in page_of(link)
    describe(as_alice, output, " ")
    assert f'alt="{output.label}' in as_alice.get(output.get_absolute_url()).text


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_what_is_said_stands_beside_the_player(
    run: Run, link: GuestLink, output: Output, as_alice: Client, kind: str
) -> None:
    Output.objects.update(kind=kind)
    StoredFile.objects.update(kind=kind, media_type=f"{kind}/mp4")
    describe(as_alice, output, "Hello.\nAnd good night.")

    words = "Hello.<br>And good night."
    for path in pages(run, output):
        assert words in flat(as_alice.get(path).text), path
    assert words in flat(page_of(link))


def test_both_zips_list_the_description(link: GuestLink, output: Output, as_alice: Client) -> None:
    path = f"{path_of(link)}download/"
    assert "Description" not in sheet_in(Client().get(path), "files.csv")[0]
    describe(as_alice, output)

    assert sheet_in(Client().get(path), "files.csv")[0]["Description"] == SHOWS
    whole = as_alice.get(reverse("runs:results-download"), {"f": output.public_id})
    assert sheet_in(whole, "provenance.csv")[0]["Description"] == SHOWS


def test_others_read_it_but_cannot_change_it(run: Run, output: Output, as_alice: Client, as_bob: Client) -> None:
    describe(as_alice, output)
    Run.objects.update(shared_at=run.created_at)

    page = as_bob.get(output.get_absolute_url()).text

    assert ALT in page
    assert f'<p class="description" dir="auto">{SHOWS.replace(chr(34), "&quot;")}</p>' in page
    assert "Change the description" not in page
