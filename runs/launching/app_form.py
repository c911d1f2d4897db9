"""Builds an app's form for a member, either as posted or filled in with given answers."""

from collections.abc import Mapping

from django.http import QueryDict

from runs.catalog.field_rules import form_questions
from runs.models import App, AppSchema, Member, StoredFile
from runs.schema_forms.answers import Answer
from runs.schema_forms.build import SchemaForm
from runs.schema_forms.results import results_of
from runs.uploads import ownership, uploads


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
    stored = {file.public_id: file for file in StoredFile.objects.filter(public_id__in=app.samples.values())}
    return {
        url: {"small_url": stored[file_id].small_url, "card_url": stored[file_id].card_url}
        for url, file_id in app.samples.items()
        if file_id in stored
    }
