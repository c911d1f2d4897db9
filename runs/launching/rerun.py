"""Running a run again with the same inputs."""

from collections import Counter
from dataclasses import dataclass

from django.forms import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from runs.catalog.form_rules import form_questions, rules_of
from runs.engine.changed_by_rules import changed_words, preview_rules
from runs.engine.create_run import LaunchRequest
from runs.launching.app_form import app_form
from runs.models import AppSchema, Member, Run
from runs.schema_forms.answers import Answer, Value, upload_ids
from runs.schema_forms.build import SchemaForm
from runs.schema_forms.field_rules import open_answers
from runs.uploads import ownership

GONE = gettext_noop("Lamina no longer offers this app, so it can't be run again.")
CHANGED = gettext_noop("This app's form has changed since that run. Check the values in the form.")
FILES = gettext_noop("A file from that run is no longer available. Add it again in the form.")


@dataclass(frozen=True)
class RerunPlan:
    """The `answers` to run a run again with, or the `reason` why that isn't possible.

    `changed` says what the admin's rules change compared with the original run.
    """

    answers: list[Answer]
    reason: str = ""
    changed: str = ""


def again(member: Member, run: Run) -> RerunPlan:
    """Plan how to run `run` again. The app's current form must accept every answer that people gave, without changes;
    the admin's rules provide the other answers.

    Teammates' files aren't replaced with the member's own yet; `press_again` does that.
    """
    app, schema = run.app, run.app.schema
    if app.is_gone or schema is None:
        return RerunPlan([], _(GONE))
    past = run.answers
    visible = ownership.visible_answers(member, past)
    form = app_form(member, app, schema, answers=visible, wanted_outputs=run.wanted_outputs or None)
    questions = form_questions(app)
    open_then = open_answers(questions, past)
    open_now = open_answers(questions, run.answers_for(member))
    if len(open_now) != len(open_then):  # a field that was hidden then is visible now, but nobody may see what it sent
        return RerunPlan([], _(CHANGED))
    answers = ownership.visible_answers(member, open_then)
    is_new = run.schema_id != schema.pk
    if (is_new or rules_of(app)) and not _is_same(answers, form.draft_answers(), form):
        return RerunPlan([], _(CHANGED))
    if is_new and not _makes_same(run, schema):
        return RerunPlan([], _(CHANGED))
    try:
        for bound in form.questions:
            bound.field.check(bound.value())
    except ValidationError as error:
        return RerunPlan([], _(FILES) if error.code in ("gone", "failed", "removed") else _(CHANGED))
    if len(upload_ids(answers)) != len(upload_ids(open_then)):
        return RerunPlan([], _(FILES))
    return RerunPlan(form.all_answers(), changed=changed_words(preview_rules(app, schema, past)))


def press_again(member: Member, run: Run, plan: RerunPlan, token: str) -> LaunchRequest:
    """Return the request that starts `run` again with the member's own files. The member's draft isn't touched."""
    assert run.app.schema is not None  # noqa: S101 - `again` has checked it
    return LaunchRequest(
        run.app,
        run.app.schema,
        ownership.own_files(member, plan.answers),
        run.wanted_outputs,
        token,
        parent=run,
        preset=run.preset,
        keeps_draft=True,
    )


def _is_same(old: list[Answer], new: list[Answer], form: SchemaForm) -> bool:
    """Return whether the new form keeps every old answer and leaves all new questions to the app's defaults."""
    if form.dropped:
        return False

    def facts(answers: list[Answer]) -> Counter[tuple[str, Value, bool]]:
        return Counter((a.name, a.value, a.is_default) for a in answers)

    names = {answer.name for answer in old}
    fresh = [answer for answer in new if answer.name not in names]
    return all(answer.is_default for answer in fresh) and facts(old) == facts([a for a in new if a.name in names])


def _makes_same(run: Run, schema: AppSchema) -> bool:
    """Return whether the app still produces the requested results, under the same names."""
    if not run.wanted_outputs:
        return True
    then = {o["index"]: o["label"] for o in run.schema.outputs if o["index"] in run.wanted_outputs}
    now = {o["index"]: o["label"] for o in schema.outputs}
    is_full = len(run.wanted_outputs) == len(run.schema.outputs)
    return all(now.get(index) == label for index, label in then.items()) and (
        not is_full or len(schema.outputs) == len(run.schema.outputs)
    )
