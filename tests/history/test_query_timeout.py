"""A search that takes too long is stopped, and the page suggests a shorter one. Other queries have no time limit."""

from time import monotonic

import pytest
from django.db import connection
from django.test import Client

from runs.history import query_timeout, views
from runs.history.filters import Filter
from runs.models import Member
from tests.support.factories import make_app, make_run

pytestmark = pytest.mark.django_db(transaction=True)

COUNT_TO = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT COUNT(*) FROM n"
ENDLESS, SHORT = COUNT_TO.format(10**15), COUNT_TO.format(9_999)


def ask(sql: str) -> tuple[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        answer: tuple[int] = cursor.fetchone()
    return answer


def test_what_takes_too_long_is_stopped() -> None:
    with pytest.raises(query_timeout.TookTooLong), query_timeout.at_most(0.2):
        ask(ENDLESS)

    assert ask("SELECT 1") == (1,)


def test_the_bound_ends_with_the_block() -> None:
    with query_timeout.at_most(1):
        assert ask("SELECT 1") == (1,)
    over = monotonic() + 1.1
    while monotonic() < over:
        assert ask(SHORT) == (9_999,)


def test_the_page_says_so_and_offers_fewer_days(
    as_alice: Client, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(alice, make_app(), status="completed", is_example=True)  # an example, so more might still be added
    with monkeypatch.context() as patched:
        patched.setattr(query_timeout, "SEARCH_SECONDS", 0.2)
        patched.setattr(views, "elsewhere", lambda *_: ask(ENDLESS))
        answer = as_alice.get("/history/?q=submarine&from=2020-01-01")

    assert "The search took too long" in answer.text
    assert "Example runs" not in answer.text
    labels = ["The last 7 days", "The last 30 days", "The last year"]
    assert [chip.label for chip in answer.context["shorter"]] == labels
    assert all(chip.url.startswith("/history/?q=submarine&from=20") for chip in answer.context["shorter"])
    assert "The search took too long" not in as_alice.get("/history/").content.decode()


def test_a_page_is_shown_even_if_finding_its_apps_takes_too_long(
    as_alice: Client, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(alice, make_app(), status="completed", title="A red shoe")
    monkeypatch.setattr(Filter, "has_few", lambda *_: False)
    monkeypatch.setattr(views, "WITH_APPS_SECONDS", 0.2)
    monkeypatch.setattr(views, "first_page_with_apps", lambda *_: ask(ENDLESS))

    answer = as_alice.get("/history/?q=shoe")

    assert [card.run.display_title for _, cards in answer.context["groups"] for card in cards] == [run.title]
    assert not answer.context["is_too_slow"]
