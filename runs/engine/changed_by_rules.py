"""What the admin's rules would change in earlier answers, so that pages can say so first. `create_run` applies the
rules."""

from collections.abc import Sequence
from dataclasses import replace

from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from runs.catalog.form_rules import form_questions
from runs.catalog.pauses import closed_words
from runs.models import App, AppSchema, Member, Run, Upload
from runs.schema_forms.answers import Answer, Files, matched
from runs.schema_forms.field_rules import Change, RuledAnswers, apply_rules
from runs.schema_forms.questions import shortened
from runs.words.errors import UserFacingError

NAMED = 80  # maximum length of a field's name in a sentence, in characters


class RulesRefuseError(UserFacingError):
    """Raised when the admin's rules don't allow the run: its app is closed or paused, or an option isn't allowed."""


def hidden_places(app: App, schema: AppSchema, answers: Sequence[Answer]) -> set[int]:
    """Return the positions of the `answers` in fields that the rules hide."""
    answer_of = matched(form_questions(app, schema), answers)[0]
    hidden = [answer for question, answer in answer_of.items() if question.is_hidden]
    return {position for position, answer in enumerate(answers) if any(answer is one for one in hidden)}


def preview_rules(app: App, schema: AppSchema, answers: Sequence[Answer]) -> RuledAnswers:
    """Apply the rules to `answers` for display only: locked pictures aren't turned into uploads."""
    result = apply_rules(form_questions(app, schema), answers)
    return replace(result, changed=[change for change in result.changed if not _is_same_file(change)])


def names_changed(run: Run) -> list[str]:
    """Return the names of the inputs of `run` that the rules would change or refuse now."""
    now = preview_rules(run.app, run.schema, run.answers)
    return [*(change.label for change in now.changed), *(answer.name for answer in now.refused)]


def against_rules(run: Run, member: Member) -> str:
    """Return why the rules don't let `member` send the inputs of `run` again unchanged; "" if they do."""
    if words := closed_words(run.app, member):
        return words
    if not names_changed(run):
        return ""
    return _("An admin has since changed this app's rules. Press “Leave it”, then “Change and run again”.")


def _is_same_file(change: Change) -> bool:
    """Return whether the change merely replaces a picture with another upload of the same file."""
    if change.before is None or not isinstance(change.after.value, Files):
        return False
    before = Upload.objects.filter(public_id__in=change.before.upload_ids).values_list("file__public_id", flat=True)
    return list(before) == list(change.after.upload_ids)


def changed_words(answers: RuledAnswers) -> str:
    """Return a sentence naming the inputs that the rules change; "" if there are none."""
    if not answers.changed:
        return ""
    words = ngettext(
        "An admin has since set a value for %(names)s. That value will be used instead.",
        "An admin has since set values for %(names)s. Those values will be used instead.",
        len(answers.changed),
    )
    return words % {"names": quoted_names([change.label for change in answers.changed])}


def refused_words(answers: RuledAnswers) -> str:
    """Return a sentence naming the answers that the rules no longer allow; "" if there are none."""
    if not answers.refused:
        return ""
    words = _("An admin no longer allows what was chosen for %(names)s. Choose again.")
    return words % {"names": quoted_names([answer.name for answer in answers.refused])}


def quoted_names(names: Sequence[str]) -> str:
    """Return field names as text, each in quotes."""
    quoted = [_("“%(name)s”") % {"name": shortened(name, NAMED)} for name in names]
    return get_text_list(quoted, pgettext("between the last two of a list", "and"))
