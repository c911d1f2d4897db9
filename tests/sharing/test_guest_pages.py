"""A link to many results: 48 per page, each page with its own address, as fast for 2,000 results as for 48."""

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from runs.models import GuestLink, Member, Output, OutputFile, Run
from runs.sharing import links
from tests.sharing.guest_page import file_paths, page_of
from tests.sharing.guest_visit import visit
from tests.support.factories import make_run, make_stored
from tests.support.guest_links import path_of
from tests.support.page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def long_link(alice: Member) -> GuestLink:
    """A link to 100 pictures from one run."""
    run = make_run(alice, status="completed")
    return links.make_link(alice, pictures_of(run, 100))


def pictures_of(run: Run, count: int) -> list[Output]:
    """Replace the results of `run` with `count` new ones that all share one file."""
    Output.objects.filter(run=run).delete()
    made = Output.objects.bulk_create(
        Output(run=run, position=n, label="View", kind="image", status="completed") for n in range(count)
    )
    file = make_stored((1600, 900))
    OutputFile.objects.bulk_create(
        OutputFile(output=output, source_url="https://x.test/", status="saved", file=file) for output in made
    )
    return made


def names_on(page: str) -> list[str]:
    return [str(caption.first("span").text).strip() for caption in Page(page).find("figcaption")]


def test_a_guest_walks_through_all_pages(long_link: GuestLink) -> None:
    guest, seen, places = visit(long_link), [], []
    for page in (1, 2, 3):
        seen += names_on(guest.answer.text)
        places.append(guest.page.first("nav", css="guest-pages").first("p").text)
        assert "100 images from Alice" in guest.words
        if page < 3:
            guest.press_value("to", str(page + 1))
    assert seen == [f"View {n}" for n in range(1, 101)]
    assert places == ["1 to 48 of 100", "49 to 96 of 100", "97 to 100 of 100"]
    assert names_on(guest.press_value("to", "2").answer.text)[0] == "View 49"
    last = Client().get(f"{path_of(long_link)}?page=99").text
    assert names_on(last) == [f"View {n}" for n in range(97, 101)]
    assert names_on(Client().get(f"{path_of(long_link)}?page=made-up").text)[0] == "View 1"


def test_other_pages_carry_the_proof_and_the_whole_size(long_link: GuestLink) -> None:
    page_of(long_link, passphrase=make_password("green apples"), may_download=True)
    guest = visit(long_link).press("", passphrase="green apples")
    assert "Download all" in guest.words
    assert "100 files," in guest.words

    guest.press_value("to", "2")
    assert names_on(guest.answer.text)[0] == "View 49"
    assert Client().get(file_paths(guest.answer.text)[0]).status_code == 200
    assert Client().get(f"{path_of(long_link)}?page=2").text.count("<figure") == 0  # the form has the proof


def test_a_short_link_has_no_pages(alice: Member) -> None:
    link = links.make_link(alice, pictures_of(make_run(alice, status="completed"), 48))
    assert "guest-pages" not in page_of(link)


def test_more_pages_cost_no_more_queries(
    alice: Member, long_link: GuestLink, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    page_of(long_link, may_download=True, shows_app=True, shows_inputs=True)
    with django_assert_max_num_queries(20):
        Client().get(f"{path_of(long_link)}?page=2")
