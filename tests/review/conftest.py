"""People who decide, and a shared run with two results to decide on."""

from collections.abc import Callable

import pytest
from django.test import Client

from runs.models import Member, Output, Run
from runs.sharing.visibility import share_with_team
from tests.support.clients import client_of
from tests.support.factories import make_kept, make_run


@pytest.fixture
def sam(make_member: Callable[..., Member]) -> Member:
    return make_member("samuel", role="approver")  # sam@example.com is the demo account


@pytest.fixture
def as_sam(sam: Member) -> Client:
    return client_of(sam)


@pytest.fixture
def ruth(make_member: Callable[..., Member]) -> Member:
    return make_member("ruth", role="approver")


@pytest.fixture
def run(alice: Member) -> Run:
    run = make_run(alice, status="completed")
    make_kept(run)
    make_kept(run, position=1)
    share_with_team(run)
    return run


@pytest.fixture
def result(run: Run) -> Output:
    return run.outputs.all()[0]
