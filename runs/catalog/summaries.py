"""Create and update our apps from Lamina's summaries, in its list or search results."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from runs.catalog import bounds
from runs.lamina.types import AppSummary
from runs.models import App
from runs.words.app_index import app_words

KINDS = ("image", "video", "audio", "text")
FOUND_POSITION = 100_000  # after all listed apps


def record_found(summaries: Iterable[AppSummary]) -> list[App]:
    """Save apps found by a search on Lamina, in order. Known apps are updated; new ones aren't listed yet."""
    return [store_summary(summary) for summary in summaries]


def store_summary(summary: AppSummary) -> App:
    """Save `summary`. An app that was gone is requested by its id next, since only that proves that it's back."""
    name, description, url = bounds.name_of(summary), bounds.description_of(summary), bounds.thumbnail_url_of(summary)
    app, _ = App.objects.select_related("schema").get_or_create(
        remote_id=summary.app_id,
        defaults={"name": name, "description": description, "position": FOUND_POSITION, "is_listed": False},
    )
    fields: dict[str, Any] = {"name": name, "description": description, "thumbnail_url": url}
    if app.is_gone:
        fields |= {"schema_fetched_at": None, "schema_asked_at": None}
    if not app.makes:  # until the details say how many of each
        kinds = [kind for kind in KINDS if kind in {summary.modality, *summary.produces, *summary.output_formats}]
        fields |= makes_fields(name, description, Counter(kinds), [])
    elif name != app.name or description != app.description:
        labels = [output["label"] for output in app.schema.outputs] if app.schema else []
        fields["search_text"] = makes_fields(name, description, Counter(app.makes), labels)["search_text"]
    if url != app.thumbnail_url:
        fields |= {"thumbnail": None, "pictures_tried_at": None}
    App.objects.filter(pk=app.pk).update(**fields)
    app.refresh_from_db(fields=list(fields))
    return app


def makes_fields(name: str, description: str, makes: Counter[str], labels: list[str]) -> dict[str, Any]:
    """Return the `App` fields for the kinds of results an app makes and for its search text."""
    words = [description, *(label[: bounds.NAME_LENGTH] for label in labels), *makes]
    return {
        "makes": dict(makes),
        "makes_text": f" {' '.join(makes)} "[:200],
        "search_text": app_words(name, " ".join(words)),
    }
