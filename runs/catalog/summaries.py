"""Create and update our apps from Lamina's summaries, which come from its list or from search results."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from runs.catalog import bounds
from runs.connection.status import lamina_status
from runs.lamina.types import AppSummary
from runs.models import App, AppRule
from runs.models.ages import is_younger
from runs.words.app_index import app_words

KINDS = ("image", "video", "audio", "text")
FOUND_POSITION = 100_000  # puts apps found by a search after all listed apps
GONE_AGAIN_AFTER = timedelta(hours=6)  # how long to believe that an app is gone although it is listed


def record_found(summaries: Iterable[AppSummary]) -> list[App]:
    """Save apps found by a search on Lamina, in order. Known apps are updated; new ones aren't listed yet."""
    return [store_summary(summary, is_found=True) for summary in summaries]


def store_summary(summary: AppSummary, *, is_found: bool = False) -> App:
    """Save `summary`. If the app was marked as gone, it's then requested by its id, because that's the only proof that
    it's back. `is_found` is True for a search result."""
    name, description, url = bounds.name_of(summary), bounds.description_of(summary), bounds.thumbnail_url_of(summary)
    app, _ = App.objects.select_related("schema", "rule").get_or_create(
        remote_id=summary.app_id,
        defaults={"name": name, "description": description, "position": FOUND_POSITION, "is_listed": False},
    )
    words = shown_words(AppRule.of(app), name, description)
    fields: dict[str, Any] = {**words, "thumbnail_url": url}
    if app.is_gone and _may_be_back(app, is_found=is_found):
        fields |= {"schema_fetched_at": None, "schema_asked_at": None}
    if not app.makes:  # a guess until we read the details, which say how many results of each kind the app produces
        kinds = [kind for kind in KINDS if kind in {summary.modality, *summary.produces, *summary.output_formats}]
        fields |= makes_fields(words, Counter(kinds), [])
    elif any(getattr(app, name) != text for name, text in words.items()):
        fields["search_text"] = search_text_of(app, words)
    if url != app.thumbnail_url:
        fields |= {"thumbnail": None, "pictures_tried_at": None}
    App.objects.filter(pk=app.pk).update(**fields)
    app.refresh_from_db(fields=list(fields))
    return app


def _may_be_back(app: App, *, is_found: bool) -> bool:
    """Return whether to request a gone app by its id: yes if it's on the list but wasn't on the last one, or if we last
    asked hours ago.

    Otherwise, an app that Lamina still lists or finds although it's gone would take every turn of the daily round.
    """
    last_list, asked_at = lamina_status().catalog_at, app.schema_asked_at
    was_listed = last_list is not None and app.listed_at is not None and app.listed_at >= last_list
    is_news = not (is_found or was_listed)
    return is_news or not is_younger(asked_at, timezone.now(), GONE_AGAIN_AFTER)


def shown_words(rule: AppRule | None, name: str, description: str) -> dict[str, str]:
    """Return the `App` fields for Lamina's `name` and `description`, and for the wording that people see, which is the
    admin's if there is any."""
    return {
        "name": (rule.name if rule else "") or name,
        "description": (rule.line if rule else "") or description,
        "remote_name": name,
        "remote_description": description,
    }


def search_text_of(app: App, words: dict[str, str]) -> str:
    """Return the searchable text of `app`: the `words` from `shown_words`, and what the app currently produces."""
    labels = [output["label"] for output in app.schema.outputs] if app.schema else []
    text: str = makes_fields(words, Counter(app.makes), labels)["search_text"]
    return text


def makes_fields(words: dict[str, str], makes: Counter[str], labels: list[str]) -> dict[str, Any]:
    """Return the `App` fields for the kinds of results an app makes and for its search text.

    The search text includes Lamina's own wording, so that people who know the app by Lamina's name can still find it.
    """
    own = [words["remote_name"]] if words["remote_name"] != words["name"] else []
    own += [words["remote_description"]] if words["remote_description"] != words["description"] else []
    rest = [words["description"], *own, *(label[: bounds.NAME_LENGTH] for label in labels), *makes]
    return {
        "makes": dict(makes),
        "makes_text": f" {' '.join(makes)} "[:200],
        "search_text": app_words(words["name"], " ".join(rest)),
    }
