"""Builds an app's form for a member, either as posted or filled in with given answers."""

from collections.abc import Mapping

from django.core.cache import cache
from django.db.models import Exists, FilteredRelation, OuterRef, Q
from django.http import QueryDict

from runs.catalog.form_rules import form_questions
from runs.models import App, AppSchema, Member, Preset, StoredFile
from runs.models.app import AppQuerySet
from runs.schema_forms.answers import Answer
from runs.schema_forms.build import SchemaForm
from runs.schema_forms.results import results_of
from runs.uploads import ownership, uploads

SAMPLES_SECONDS = 60  # how long the addresses of an app's sample pictures are cached; a copy never changes


def with_answers_of(member: Member, apps: AppQuerySet) -> AppQuerySet:
    """Fetch the `draft` of `member` along with each app, and whether it has presets that they may open
    (`has_presets`)."""
    is_theirs = Q(drafts__member=member, drafts__is_dropped=False)
    presets = Preset.objects.visible_to(member).filter(app=OuterRef("pk"))
    both = apps.annotate(draft=FilteredRelation("drafts", condition=is_theirs), has_presets=Exists(presets))
    return both.select_related("draft")  # type: ignore[misc]  # django-stubs doesn't know such relations


def app_form(
    member: Member,
    app: App,
    schema: AppSchema,
    data: QueryDict | None = None,
    *,
    answers: list[Answer] | None = None,
    wanted_outputs: list[int] | None = None,
    field_errors: dict[str, str] | None = None,
) -> SchemaForm:
    """Build the form of `app` for `member`, either from posted `data` or from `answers`."""
    is_sent = data is not None and member.can_run  # the form is being submitted, so only the member's own files count
    infos = uploads.upload_infos if is_sent else ownership.infos
    return SchemaForm(
        form_questions(app, schema),
        results_of(schema.outputs),
        data,
        answers=answers,
        wanted_outputs=wanted_outputs,
        uploads=lambda ids: infos(member, ids),
        field_errors=field_errors,
        samples=lambda: sample_pictures(app),
    )


def sample_pictures(app: App) -> Mapping[str, dict[str, str]]:
    """Return our copies of the app author's sample files, keyed by their original URLs."""
    if not app.samples:
        return {}
    key = f"samples:{app.pk}:{'-'.join(app.samples.values())}"
    urls: dict[str, dict[str, str]] = cache.get_or_set(key, lambda: _picture_urls(app), SAMPLES_SECONDS) or {}
    return {url: urls[file_id] for url, file_id in app.samples.items() if file_id in urls}


def _picture_urls(app: App) -> dict[str, dict[str, str]]:
    files = StoredFile.objects.filter(public_id__in=app.samples.values())
    return {file.public_id: {"small_url": file.small_url, "card_url": file.card_url} for file in files}
