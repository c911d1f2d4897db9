"""The registry of scenes. Each scene puts a visitor's page into the state it's named after."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.browser.visitors import Visitor
from tests.browser.whole import Whole

Act = Callable[[Visitor, Whole], None]


@dataclass(frozen=True)
class Scene:
    """A function that puts a page into some state, and the role of the member who sees it."""

    act: Act
    role: str


scenes: dict[str, Scene] = {}


def scene_of(role: str) -> Callable[[Act], Act]:
    """Return a decorator that registers a scene to be seen by a member with `role`."""

    def register(act: Act) -> Act:
        scenes[act.__name__] = Scene(act, role)
        return act

    return register


scene = scene_of("maker")


def started(visitor: Visitor, app: str, state: str, **values: str) -> str:
    """Start a run of `app` and open its page once it is in `state`; return its id."""
    run = str(visitor.whole.inside.ask("start", email=visitor.email, remote_id=app, **values))
    visitor.whole.wait_for(run, state)
    visitor.page.goto(f"/runs/{run}/")
    return run
