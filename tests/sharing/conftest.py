"""A run with two results, and a link to both."""

import pytest

from runs.models import GuestLink, Member, Output, Run, StoredFile
from runs.sharing import links
from tests.support.factories import make_kept, make_run, make_stored


@pytest.fixture
def run(alice: Member) -> Run:
    """Alice's run with one picture and one text result."""
    run = make_run(alice, status="completed", title="Spring shoes")
    stored = make_stored((1600, 900))
    make_kept(run, stored)
    StoredFile.objects.filter(pk=stored.pk).update(name="spring-shoes_front_2026-11-24.png")
    Output.objects.filter(run=run, position=1).update(kind="text", text="Made for walking.")
    return run


@pytest.fixture
def link(run: Run, alice: Member) -> GuestLink:
    return links.make_link(alice, list(run.outputs.all()))
