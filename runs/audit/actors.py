"""Who is acting: a member on a page, a guest, the portal itself, or a command."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from runs.models import Member
from runs.models.entry import Entry
from runs.models.ids import new_public_id

Way = Entry.Way


@dataclass(frozen=True)
class Actor:
    """Whoever makes a change: a member, a guest, a command or the portal. `network` is the network that the request
    came from, shortened by `networks.cut`; empty if there was no request."""

    way: str
    member_id: int | None = None
    name: str = ""
    request_id: str = ""
    network: str = ""


def the_portal() -> Actor:
    """Return the portal itself as the actor, no matter who has sent the current request."""
    return Actor(Way.WORKER, request_id=new_public_id())


# Holds a function instead of an `Actor`, because the member may sign in during the request.
_source: ContextVar[Callable[[], Actor]] = ContextVar("actor", default=the_portal)


def current_actor() -> Actor:
    """Return who is acting now: the portal itself, unless this code runs for a request or a command."""
    return _source.get()()


@contextmanager
def acting_as(actor: Actor | Callable[[], Actor]) -> Iterator[None]:
    """Attribute everything recorded in this block to `actor`. If `actor` is a function, it is called for each entry."""
    token = _source.set(actor if callable(actor) else lambda: actor)
    try:
        yield
    finally:
        _source.reset(token)


def act_for_task(task_id: str) -> None:
    """Attribute everything that this process records from now on to the portal itself, for the task with this id."""
    actor = Actor(Way.WORKER, request_id=task_id[:40])
    _source.set(lambda: actor)


def as_member(member: Member) -> Actor:
    """Return the current actor, but as `member`, who may not be signed in yet or may have just signed out."""
    return replace(current_actor(), way=Way.PAGE, member_id=member.pk, name=member.display_name)


def as_guest(name: str) -> Actor:
    """Return the current actor, but as a guest called `name`, even if a member is signed in to the same browser."""
    return replace(current_actor(), way=Way.GUEST, member_id=None, name=name)
