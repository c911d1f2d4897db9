"""The form of one app for one person: as it was posted, or filled with answers."""

from collections.abc import Mapping

from django.http import QueryDict

from runs.models import App, AppSchema, Member, StoredFile
from runs.schema_forms.answers import Answer
from runs.schema_forms.build import SchemaForm, build_form
from runs.uploads import ownership, uploads


def app_form(
    member: Member,
    app: App,
    schema: AppSchema,
    data: QueryDict | None = None,
    *,
    answers: list[Answer] | None = None,
    wanted: list[int] | None = None,
    field_errors: dict[str, str] | None = None,
) -> SchemaForm:
    """The form of APP for MEMBER, as posted or with ANSWERS."""
    is_sent = data is not None and member.can_run  # then all that counts is the member's own by now
    infos = uploads.upload_infos if is_sent else ownership.infos
    return build_form(schema.parameters, schema.outputs)(
        data,
        answers=answers,
        wanted=wanted,
        uploads=lambda ids: infos(member, ids),
        field_errors=field_errors,
        samples=lambda: sample_pictures(app),
    )


def ticked(form: SchemaForm) -> list[int] | None:
    """Indexes of the results that are ticked; None when the app tells of none."""
    return form.wanted_outputs() if form.results else None


def dropped_words(form: SchemaForm) -> list[str]:
    """A sentence that names the answers which no longer fit, if there are any."""
    names = ", ".join(f"“{name}”" for name in form.dropped)
    return [f"What was filled in for {names} no longer fits; choose again."] if names else []


def sample_pictures(app: App) -> Mapping[str, dict[str, str]]:
    """Our copies of the author's sample media by their addresses."""
    stored = StoredFile.objects.in_bulk(list(app.samples.values()), field_name="public_id")
    return {
        url: {"small_url": stored[file_id].small_url, "card_url": stored[file_id].card_url}
        for url, file_id in app.samples.items()
        if file_id in stored
    }
