"""Responses larger than any real app would produce: both what we store and the size of pages are limited."""

import pytest
from django.test import Client
from django.utils import timezone

from runs.engine import apply_outputs, match_outputs, progress
from runs.lamina.types import RunSnapshot
from runs.models import Member, Output, Run
from tests.support.factories import make_run

pytestmark = pytest.mark.django_db
HUGE = 3_000_000


def snapshot(run: Run, status: str, **told: object) -> RunSnapshot:
    return RunSnapshot.model_validate({"runId": run.remote_id, "status": status, **told})


def test_too_many_results_are_not_stored(alice: Member) -> None:
    run = make_run(alice, status="running", remote_id="r1")

    progress.apply_snapshot(run, snapshot(run, "running", outputs=[{}] * 20_000), timezone.now())

    assert Output.objects.filter(run=run).count() == match_outputs.OUTPUTS_PER_RUN


def test_endless_labels_and_reasons_are_cut(alice: Member, as_alice: Client) -> None:
    run = make_run(alice, status="running", remote_id="r1")
    bad = {"id": "a", "label": "y" * HUGE, "status": "error", "error": "z" * HUGE}
    told = snapshot(run, "failed", errorMessage="x" * HUGE, outputs=[bad])

    assert progress.apply_snapshot(run, told, timezone.now())

    page = as_alice.get(run.get_absolute_url()).content
    assert b"x" * 1_000 in page
    assert len(page) < 100_000


def test_an_endless_reason_is_cut_also_if_some_results_are_good(alice: Member) -> None:
    run = make_run(alice, status="running", remote_id="r1")
    good = {"id": "a", "type": "text", "value": "Fine", "status": "completed"}

    progress.apply_snapshot(run, snapshot(run, "failed", errorMessage="x" * HUGE, outputs=[good]), timezone.now())

    run.refresh_from_db()
    assert run.status == "completed"
    assert 0 < len(run.failure_text.quote) <= apply_outputs.SENTENCE_LENGTH


def test_too_few_credits_are_recognised_at_the_end_of_a_long_reason(alice: Member) -> None:
    run = make_run(alice, status="running", remote_id="r1")

    progress.apply_snapshot(
        run, snapshot(run, "failed", errorMessage=f"{'x' * 9_000} insufficient credits"), timezone.now()
    )

    run.refresh_from_db()
    assert run.failure == "credits"
