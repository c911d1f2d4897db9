"""The accessibility statement: anyone can find it, and it says who to write to."""

import re
from pathlib import Path

import pytest
from django.template.defaultfilters import date
from django.test import Client

from runs.help.views import REVIEWED
from runs.models import Member
from runs.sharing import links
from runs.web import secret_links
from runs.web.secret_links import Purpose
from tests.support.factories import make_kept, make_run

pytestmark = pytest.mark.django_db
PAGE = "/help/accessibility/"
STATEMENT = Path(__file__).parents[2] / "docs" / "accessibility.md"


def test_everyone_is_led_to_it(as_alice: Client, alice: Member) -> None:
    run = make_run(alice, status="completed")
    make_kept(run)
    link = links.make_link(alice, list(run.outputs.all()))
    guest_page = f"/s/{secret_links.token_of(Purpose.GUEST, link.nonce)}/"
    for client, path in ((as_alice, "/"), (as_alice, "/help/keys/"), (Client(), "/login/"), (Client(), guest_page)):
        assert f'href="{PAGE}"' in client.get(path).text, path


def test_members_can_write_to_the_admins_and_strangers_do_not_learn_who_they_are(
    as_alice: Client, admin_member: Member
) -> None:
    assert f"mailto:{admin_member.email}?subject=" in as_alice.get(PAGE).text
    page = Client().get(PAGE).text
    assert "Contact the person who sent you here; they can reach" in page
    assert admin_member.email not in page
    assert "<script" not in page


def test_the_page_and_the_document_say_the_same_and_name_tests_that_exist(client: Client) -> None:
    words, document = " ".join(client.get(PAGE).text.split()), STATEMENT.read_text()
    day = date(REVIEWED, "j F Y")
    for text in (words, document):
        assert "WCAG) 2.2" in text
        assert "Lamina Portal meets the" in text
        assert "gap" not in text
        assert f"Last reviewed on {day}" in text
        assert {"1.1.1", "3.1.2", "1.4.13"} <= set(re.findall(r"\d\.\d\.\d+", text))
    tests = re.findall(r"`(tests/\S+\.py)`", document)
    assert tests
    assert [name for name in tests if not (STATEMENT.parents[1] / name).exists()] == []
