"""What people get when they aren't signed in, and what members' browsers may prefetch."""

import pytest
from django.conf import settings as django_settings
from django.test import Client


@pytest.mark.django_db
def test_htmx_is_sent_to_the_sign_in_page_and_back_to_where_the_person_was(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/history/?q=cat"}
    for answer, status in (
        (client.get("/live/", headers=headers), 200),
        (client.post("/uploads/", headers=headers), 401),  # so that scripts don't think something was saved
    ):
        assert answer.status_code == status
        assert answer.headers["HX-Redirect"] == "/login/?next=/history/%3Fq%3Dcat"
        assert not answer.content


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/live/?n=&w=1", "/live/frame/?n=&w=&b=", "/live/team/?since=&k="])
def test_a_page_that_shows_no_run_is_not_left_by_itself(client: Client, url: str) -> None:
    """A page that doesn't show a run isn't redirected to the sign-in page, since someone may be filling in a form on
    it."""
    answer = client.get(url, headers={"HX-Request": "true"})
    assert (answer.status_code, "HX-Redirect" in answer.headers) == (204, False)


@pytest.mark.django_db
def test_a_foreign_page_is_no_place_to_go_back_to(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/"}
    assert client.get("/live/", headers=headers).headers["HX-Redirect"] == "/login/?next=/"


@pytest.mark.django_db
def test_a_script_gets_401_and_a_browser_the_sign_in_page(client: Client) -> None:
    assert client.post("/uploads/", headers={"Sec-Fetch-Mode": "cors"}).status_code == 401
    answer = client.get("/history/?q=cat", headers={"Sec-Fetch-Mode": "navigate"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/login/?next=/history/%3Fq%3Dcat"


def test_browsers_are_told_what_to_prefetch_when_signed_in(as_alice: Client) -> None:
    page = as_alice.get("/history/")
    assert page.headers["Speculation-Rules"] == '"/static/portal.speculationrules"'
    assert (django_settings.BASE_DIR / "static" / "portal.speculationrules").exists()
    assert "Speculation-Rules" not in as_alice.get("/healthz").headers
    assert "Speculation-Rules" not in Client().get("/login/").headers
    assert "Speculation-Rules" not in as_alice.get("/history/", headers={"HX-Request": "true"}).headers
