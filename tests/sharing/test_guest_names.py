"""The names of files that guests download: they match the ones on the page, and reveal nothing else."""

import re
import zipfile
from io import BytesIO
from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client

from runs.models import GuestLink, Member, Output, OutputFile, Run
from runs.sharing import links
from runs.sharing.guest_names import labels_of
from tests.sharing.guest_page import file_paths, page_of, today
from tests.support.factories import make_app, make_kept, make_run, make_stored
from tests.support.guest_links import path_of

pytestmark = pytest.mark.django_db


def test_names_of_downloads_reveal_nothing(link: GuestLink) -> None:
    page = page_of(link, may_download=True)
    original = next(path for path in file_paths(page) if path.endswith("original?download=1"))
    answer = Client().get(original)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="shared_front_{today()}.png"'
    packed = b"".join(Client().get(f"{path_of(link)}download/"))
    with zipfile.ZipFile(BytesIO(packed)) as archive:
        assert archive.namelist() == [f"shared_front_{today()}.png", f"shared_back_{today()}.txt", "files.csv"]
        assert archive.read(archive.namelist()[1]) == b"Made for walking."


def test_asked_only_how_large_the_zip_is_nothing_is_read(link: GuestLink) -> None:
    page_of(link, may_download=True)
    path = f"{path_of(link)}download/"

    told, whole = Client().head(path), Client().get(path)

    assert (told.status_code, told.streaming) == (200, False)
    for name in ("Content-Length", "Content-Type", "Content-Disposition", "Cache-Control", "Referrer-Policy"):
        assert told.headers[name] == whole.headers[name]
    assert int(told.headers["Content-Length"]) == len(b"".join(whole))


def test_each_download_is_called_as_on_the_page_and_in_the_zip(alice: Member) -> None:
    """Covers identical and missing labels, three-byte letters, and a result with two files, only the second of which
    was saved."""
    outputs = [
        {"index": i, "label": label, "type": "image"} for i, label in enumerate(["A/B: Öl", "A/B: Öl", "", "靴" * 80])
    ]
    run = make_run(alice, make_app(outputs=outputs), status="completed")
    kept = [make_kept(run, make_stored((40 + i, 30)), position=i) for i in range(4)]
    OutputFile.objects.filter(pk=kept[3].pk).update(position=1)
    link = links.make_link(alice, list(run.outputs.all()))
    page = page_of(link, may_download=True)

    packed = b"".join(Client().get(f"{path_of(link)}download/"))
    with zipfile.ZipFile(BytesIO(packed)) as archive:
        names = archive.namelist()[:-1]
    long = "靴" * 28
    told = [f"shared_{label}_{today()}.png" for label in ("a-b-öl", "a-b-öl_2", "result", f"{long}_2")]
    assert names == told
    addresses = [next(p for p in file_paths(page) if f"{k.file.public_id}/original?d" in p) for k in kept if k.file]
    assert [name_of(Client().get(path)) for path in addresses] == names


@pytest.mark.parametrize(
    ("labels", "called"),
    [
        (["Front", "Back"], ["Front", "Back"]),
        (["Front", "Back", "Front"], ["Front 1", "Back", "Front 2"]),
        (["Front", "Front", "Front 1"], ["Front 2", "Front 3", "Front 1"]),
        (["Front 2", "Front", "Front", "Front"], ["Front 2", "Front 1", "Front 3", "Front 4"]),
        (["A", "A", "A 1", "A 1"], ["A 1", "A 2", "A 1 1", "A 1 2"]),
        (["A", "A", "A 1", "A 1", "A 1 1"], ["A 1", "A 2", "A 1 2", "A 1 3", "A 1 1"]),
        (["", "Front", ""], ["Result 1", "Front", "Result 2"]),
        (["", "Result", "Result"], ["Result 1", "Result 2", "Result 3"]),
        (["", "Result 1", "Result"], ["Result 2", "Result 1", "Result 3"]),
    ],
)
def test_no_two_results_of_a_link_are_called_alike(labels: list[str], called: list[str]) -> None:
    assert labels_of([Output(label=label) for label in labels]) == called


def test_inputs_are_called_as_on_the_page(link: GuestLink, run: Run, alice: Member) -> None:
    given = run.inputs.create(position=1, name="Your photo", type="url", value=[])
    photos = [make_stored((60, 40 + position)) for position in range(2)]
    for position, photo in enumerate(photos):
        upload = alice.uploads.create(file=photo, status="ready", name="secret.png")
        given.links.create(upload=upload, position=position)
    page_of(link, may_download=True, shows_inputs=True)

    paths = [f"{path_of(link)}files/{photo.public_id}/400?download=1" for photo in photos]

    assert [name_of(Client().get(path)) for path in paths] == [
        f"shared_your-photo{number}_{today()}.webp" for number in ("", "_2")
    ]


def test_the_app_is_in_the_names_if_guests_may_see_it(link: GuestLink, run: Run) -> None:
    page = page_of(link, may_download=True, shows_app=True)
    assert f'download="cartoonify_front_{today()}.png"' in page
    assert "spring" not in page.lower()


def name_of(answer: Any) -> str:
    """Return the name that a browser gives to a download."""
    told = answer.headers["Content-Disposition"]
    written = re.search(r"filename\*=UTF-8''(.+)", told)
    return unquote(written[1]) if written else told.split('"')[1]
