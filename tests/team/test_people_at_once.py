"""People changing the same things at the same time, each on a separate database connection."""

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from django.db import DatabaseError, connection

from runs.models import Invite, Member, SharingRules
from runs.sharing.links import make_link, restore, revoke
from runs.sharing.visibility import only_me, share_with_team
from runs.team import invites, members
from tests.support.factories import make_kept, make_run

pytestmark = pytest.mark.django_db(transaction=True)


def together(acts: list[Callable[[], None]]) -> None:
    """Call all `acts` at once and wait for them to finish."""
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_many_changes_of_the_same_people_at_once_all_finish(make_member: Callable[..., Member]) -> None:
    """All changes must finish even on PostgreSQL, which aborts deadlocked transactions."""
    people = [make_member(f"admin{n}", role="admin") for n in range(3)]
    failures: list[DatabaseError] = []

    def go(number: int) -> None:
        try:
            for n in range(12):
                member = Member.objects.get(pk=people[(number + n) % 2].pk)
                with suppress(members.RefusedError):
                    members.change_role(member, "admin" if number == 0 else "viewer")
                    if number % 2:
                        members.deactivate(member)
        except DatabaseError as failure:
            failures.append(failure)
        finally:
            connection.close()

    together([partial(go, number) for number in range(8)])
    assert failures == []


def test_one_person_invited_twice_at_once_gets_one_invite(
    admin_member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = threading.Barrier(2, timeout=1)
    look = invites._refuse_known

    def look_together(email: str) -> None:
        look(email)
        with suppress(threading.BrokenBarrierError):  # the other thread might not get here
            meeting.wait()

    def go() -> None:
        try:
            invites.invite(admin_member, "kim@acme.example", "Kim", "maker")
        except members.RefusedError as refused:
            refusals.append(str(refused))
        finally:
            connection.close()

    refusals: list[str] = []
    monkeypatch.setattr(invites, "_refuse_known", look_together)
    together([go, go])
    assert Invite.objects.count() == 1
    assert len(refusals) == 1


def test_only_me_and_other_changes_of_links_at_once_all_finish(alice: Member) -> None:
    """Both changes must finish even on PostgreSQL, where one change locks the run and the other locks the link."""
    run = make_run(alice, status="completed")
    make_kept(run)
    links = [make_link(alice, list(run.outputs.all())) for _ in range(3)]
    failures: list[DatabaseError] = []

    def go(number: int) -> None:
        try:
            for n in range(15):
                link = links[(number + n) % 3]
                if number % 2:
                    restore(link, SharingRules.current())
                    revoke(link, alice)
                else:
                    share_with_team(run)
                    only_me(run, alice)
        except DatabaseError as failure:
            failures.append(failure)
        finally:
            connection.close()

    together([partial(go, number) for number in range(6)])
    assert failures == []
