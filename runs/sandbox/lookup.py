"""Look up objects by id and read query values, for all endpoints."""

from runs.sandbox import catalogue
from runs.sandbox.errors import ApiError
from runs.sandbox.lifecycle import Run
from runs.sandbox.state import World


def app_of(world: World, app_id: str) -> catalogue.App:
    """Return the app with this id.

    Raises ApiError 404 if the app doesn't exist or has been removed, and 403 if it belongs to another workspace.
    """
    app = world.apps.get(app_id)
    if app is None or app["sandbox"].get("gone"):
        raise ApiError(404, "App not found")
    if catalogue.is_closed(app):
        raise ApiError(403, "You do not have access to this app")
    return app


def run_of(world: World, run_id: str) -> Run:
    """Return the run with this id. Raises ApiError 404 if there is none."""
    run = world.runs.get(run_id)
    if run is None:
        raise ApiError(404, "Execution not found")
    return run


def whole_number(query: dict[str, str], name: str, default: int, least: int, most: int) -> int:
    """Return a number from the query, capped at `most`. Raises ApiError 400 if the value is invalid or below
    `least`."""
    text = query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or int(text[:12]) < least:
        raise ApiError(400, f"{name} must be a whole number of at least {least}")
    return min(int(text[:12]), most)
