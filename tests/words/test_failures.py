"""Every failure is explained and has a next step."""

from decimal import Decimal

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from runs.connection import status
from runs.engine import progress
from runs.models import Member, Run
from runs.words.run_failures import FAILURES
from tests.support.factories import make_run

pytestmark = pytest.mark.django_db


def failed_page(client: Client, member: Member, cause: str, **fields: object) -> tuple[Run, str]:
    run = make_run(member, status="starting")
    progress.fail(run, cause, timezone.now(), **fields)  # type: ignore[arg-type]
    cache.clear()
    return run, client.get(run.get_absolute_url()).content.decode()


@pytest.mark.parametrize("cause", sorted(FAILURES))
@pytest.mark.usefixtures("admin_member")
def test_each_cause_has_a_sentence_a_button_and_a_reference(as_alice: Client, alice: Member, cause: str) -> None:
    _, body = failed_page(as_alice, alice, cause, text="Their own <b>words</b>", request_id="req-7")

    sentence, label, _ = FAILURES[cause]
    assert escape(str(sentence)) in body
    assert escape(str(label)) in body
    assert "Their own &lt;b&gt;words&lt;/b&gt;" in body
    assert "req-7" in body


def test_too_few_credits_says_how_many(as_alice: Client, alice: Member, admin_member: Member) -> None:
    status.record_status(balance=Decimal(4))
    run = make_run(alice, status="starting", credits_estimated=Decimal(12))
    progress.fail(run, "credits", timezone.now())
    cache.clear()

    body = as_alice.get(run.get_absolute_url()).content.decode()

    assert "There are 4 credits left, but this run needs about 12 credits. Nothing was started." in body
    assert f"mailto:{admin_member.email}" in body
    assert "Change and run again" in body


def test_refused_inputs_lead_back_to_their_fields(as_alice: Client, alice: Member) -> None:
    errors = [{"field": "Style", "code": "invalid_option", "message": "Manga is not one of them."}]
    run, body = failed_page(as_alice, alice, "inputs", field_errors=errors)

    assert "Style: Manga is not one of them." in body
    form = as_alice.get(f"{run.app.get_absolute_url()}?from={run.public_id}").content.decode()
    assert "Manga is not one of them." in form
    assert 'aria-invalid="true"' in form or "field-error" in form
