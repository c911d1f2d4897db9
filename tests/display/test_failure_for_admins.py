"""A failed run tells people to contact an admin, but doesn't tell admins to contact themselves."""

import pytest
from django.test import Client

from runs.models import Member
from tests.support.factories import make_run

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("failure", "words"), [("credits", "Ask an admin"), ("key", "Tell an admin")])
def test_no_admin_is_sent_to_an_admin(
    as_alice: Client, as_admin: Client, alice: Member, admin_member: Member, failure: str, words: str
) -> None:
    hers, theirs = (make_run(member, status="failed", failure=failure) for member in (alice, admin_member))

    assert words in as_alice.get(hers.get_absolute_url()).content.decode()
    page = as_admin.get(theirs.get_absolute_url()).content.decode()
    assert words not in page
    assert "Back to the form" in page
