"""Builds an app's form for a member, either as posted or filled in with given answers."""

from collections.abc import Mapping

from django.http import QueryDict
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from runs.catalog.field_rules import form_questions, rules_of, rules_version
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
    wanted: list[int] | None = None,
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
        wanted=wanted,
        uploads=lambda ids: infos(member, ids),
        field_errors=field_errors,
        samples=lambda: sample_pictures(app),
    )


def form_version(app: App, schema: AppSchema) -> str:
    """Return a form's version: the version of the app's parameters, plus the version of the admin's rules, if any."""
    version = rules_version(rules_of(app))
    return f"{schema.version}.{version}" if version else schema.version


def ticked(form: SchemaForm) -> list[int] | None:
    """Return the indexes of the results ticked in the form; None if the app lists no results."""
    return form.wanted_outputs() if form.results else None


def dropped_words(form: SchemaForm) -> list[str]:
    """Return a list with one sentence naming the answers that no longer fit, or an empty list if they all still fit."""
    if not form.dropped:
        return []
    quoted = [_("“%(name)s”") % {"name": name} for name in form.dropped]
    words = ngettext(
        "Your answer for %(names)s is no longer valid. Choose again.",
        "Your answers for %(names)s are no longer valid. Choose again.",
        len(quoted),
    )
    return [words % {"names": get_text_list(quoted, pgettext("between the last two of a list", "and"))}]


def sample_pictures(app: App) -> Mapping[str, dict[str, str]]:
    """Return our copies of the app author's sample files, keyed by their original URLs."""
    stored = {file.public_id: file for file in StoredFile.objects.filter(public_id__in=app.samples.values())}
    return {
        url: {"small_url": stored[file_id].small_url, "card_url": stored[file_id].card_url}
        for url, file_id in app.samples.items()
        if file_id in stored
    }
