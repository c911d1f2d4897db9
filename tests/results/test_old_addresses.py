"""Results used to be at `/files/<id>/`. Links in old emails and chats still point there, and pages still open from
those days post there."""

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from runs.models import Member, Output, OutputFile, Run
from tests.support.clients import client_of
from tests.support.factories import make_app, make_run, make_stored

pytestmark = pytest.mark.django_db
LINKS = ("", "use/", "text")
FORMS = ("use/", "star/", "fetch-again/")
QUERY = "n=2&in=q%3Dr%C3%B8d%26to%3D2026-01-01&x=%2F%2Fevil.test&y=a+b"


@pytest.fixture
def run(alice: Member) -> Run:
    return make_run(alice, make_app(), status="completed")


@pytest.fixture
def result(run: Run) -> Output:
    Output.objects.filter(run=run).update(kind="text", text="Words that sell")
    return run.outputs.all()[0]


@pytest.mark.parametrize("rest", LINKS)
@pytest.mark.parametrize("method", ["get", "head"])
def test_a_link_leads_on_for_good_with_its_query(as_alice: Client, result: Output, rest: str, method: str) -> None:
    answer = getattr(as_alice, method)(f"/files/{result.public_id}/{rest}", query_params=QueryDict(QUERY))

    assert answer.status_code == 301
    path, _, query = answer.headers["Location"].partition("?")
    assert path == f"/results/{result.public_id}/{rest}"
    assert QueryDict(query) == QueryDict(QUERY)
    assert as_alice.get(answer.headers["Location"]).status_code == 200


@pytest.mark.parametrize("rest", FORMS)
def test_a_form_is_sent_on_with_what_it_posts(as_alice: Client, result: Output, rest: str) -> None:
    answer = as_alice.post(f"/files/{result.public_id}/{rest}", {"on": "1"})

    assert (answer.status_code, answer.headers["Location"]) == (308, f"/results/{result.public_id}/{rest}")


def test_a_page_from_before_still_sets_the_star(as_alice: Client, result: Output) -> None:
    as_alice.post(f"/files/{result.public_id}/star/", {"on": "1"}, follow=True)

    result.refresh_from_db()
    assert result.starred_at is not None


@pytest.mark.parametrize("rest", LINKS)
def test_the_new_address_asks_who_may_see_it(as_bob: Client, run: Run, result: Output, rest: str) -> None:
    old = f"/files/{result.public_id}/{rest}"

    assert as_bob.get(old, follow=True).status_code == 404
    Run.objects.filter(pk=run.pk).update(shared_at=timezone.now())
    assert as_bob.get(old, follow=True).status_code == 200


@pytest.mark.parametrize("rest", LINKS)
def test_without_an_account_an_old_link_asks_to_sign_in_and_tells_no_more(
    client: Client, alice: Member, result: Output, rest: str
) -> None:
    asked = client.get(f"/files/{result.public_id}/{rest}?n=2")

    assert asked.status_code == 302
    assert asked.headers["Location"] == f"/login/?next=/files/{result.public_id}/{rest}%3Fn%3D2"
    assert client_of(alice).get(f"/files/{result.public_id}/{rest}?n=2", follow=True).status_code == 200


def test_the_id_of_a_file_still_leads_to_its_result(as_alice: Client, result: Output) -> None:
    files = [make_stored((40, 30)), make_stored((44, 33))]
    for position, file in enumerate(files):
        OutputFile.objects.create(
            output=result, source_url="https://x.test/", status="saved", file=file, position=position
        )

    answer = as_alice.get(f"/files/{files[1].public_id}/", follow=True)

    assert answer.status_code == 200
    assert answer.redirect_chain[-1] == (f"{result.get_absolute_url()}?n=2", 302)


@pytest.mark.parametrize("made_up", ["%0D%0ASet-Cookie:a=b", "%3Fa=b%23c", "%E9%9D%B4", "%FF", "%5C%5Cevil.test"])
def test_a_made_up_id_stays_one_part_of_the_path(as_alice: Client, made_up: str) -> None:
    answer = as_alice.get(f"/files/{made_up}/")

    assert answer.status_code == 301
    assert answer.headers["Location"].startswith("/results/")
    assert answer.headers["Location"].count("/") == 3
    assert not set(answer.headers["Location"]) & set("\r\n?#\\")
    assert as_alice.get(answer.headers["Location"]).status_code == 404
