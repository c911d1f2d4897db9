"""For any parameters, the page renders, a browser can post its form, and Lamina gets exactly the values entered."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runs.schema_forms.answers import Answer
from runs.schema_forms.inputs import to_inputs
from runs.schema_forms.questions import Question, clean_text, questions_of, sendable
from tests.schema_forms import strategies
from tests.schema_forms.browser_like import PageReader, build_form, filled, posted, rendered
from tests.support.form_examples import lookup, upload

UPLOADS = [upload(name) for name in ("one", "two", "three")]
URLS = {one.id: f"https://files.test/{one.id}" for one in UPLOADS}
thorough = settings(max_examples=150)


def _fill(question: Question, data: st.DataObject) -> tuple[str, str | list[str], Any]:
    """Return the field's name, what is posted, and the value that must be sent (None: the app's default applies)."""
    if question.kind == "options":
        position = data.draw(st.integers(0, len(question.options) - 1))
        label = question.options[position]
        listed = question.raw["options"][position]
        assert not isinstance(listed, str) or label == "".join(
            "\ufffd" if c == "\x00" or "\ud800" <= c <= "\udfff" else c for c in listed
        )
        default = question.default_option
        is_default = default is not None and label == question.options[default]
        return question.field_name, str(position), None if is_default else label
    if question.kind == "url":
        chosen = data.draw(st.lists(st.sampled_from(sorted(URLS)), min_size=1, max_size=3, unique=True))
        sent = [URLS[one] for one in (chosen if question.is_multiple else chosen[-1:])]
        return f"{question.field_name}_kept", chosen, sent if len(sent) > 1 else sent[0]
    text = data.draw(strategies.typed.filter(bool))
    is_default = not question.is_needed and clean_text(text) == question.prefill
    return question.field_name, text, None if is_default else clean_text(text)


@given(parameters=strategies.parameter_lists, outputs=strategies.output_lists, data=st.data())
@thorough
def test_exact_values_come_out(
    parameters: list[dict[str, Any]], outputs: list[dict[str, Any]], data: st.DataObject
) -> None:
    """Values stay exact both when they are first posted and when the draft is shown and posted again unchanged."""
    made = build_form(parameters, outputs)
    known = lookup(*UPLOADS)
    filling = [_fill(question, data) for question in questions_of(parameters)]
    typed = {name: value for name, value, _ in filling}

    form = made(posted(filled(made(uploads=known), typed), multipart=data.draw(st.booleans())), uploads=known)
    answers = form.draft_answers()
    assert _values(answers, parameters) == [value for _, _, value in filling]
    if not any(q.accept and "image" not in q.accept for q in questions_of(parameters) if q.kind == "url"):
        assert form.is_valid(), form.errors
        assert form.answers() == answers

    again = made(
        posted(filled(made(answers=answers, wanted_outputs=form.wanted_outputs(), uploads=known))), uploads=known
    )
    assert again.draft_answers() == answers
    assert again.wanted_outputs() == form.wanted_outputs()


def _values(answers: list[Answer], parameters: list[dict[str, Any]]) -> list[Any]:
    """Return what each answer would send on its own, so that answers with the same name don't hide each other."""
    sent = []
    for answer, parameter in zip(answers, parameters, strict=True):
        inputs = to_inputs(questions_of([parameter]), [answer], URLS)
        assert len(inputs) < 2
        sent.append(next(iter(inputs.values()), None))
    return sent


@given(parameters=strategies.parameter_lists, outputs=strategies.output_lists)
@thorough
def test_every_list_renders_whole(parameters: list[dict[str, Any]], outputs: list[dict[str, Any]]) -> None:
    """The form is complete both when it is fresh and when every field has an error, and nothing that the author wrote
    becomes markup."""
    made = build_form(parameters, outputs)
    everywhere = dict.fromkeys(made().fields, "Lamina says: <b>no</b>")
    for form in (made(), made(field_errors=everywhere), made(posted([]), field_errors=everywhere)):
        html = rendered(form)
        page = PageReader(html)
        assert not {"script", "b"} & set(page.tags)
        assert "onerror=" not in [tag.lower() for tag in page.tags]
        assert len(page.ids) == len(set(page.ids))
        for focus_id, _, _ in form.error_list:
            assert focus_id in page.ids
        for question in questions_of(parameters):
            offered = [value for name, value in page.options if name == question.field_name]
            shown = [question.options[int(value)] for value in offered if value] if question.kind == "options" else []
            assert list(dict.fromkeys(question.options if question.kind == "options" else [])) == shown


@given(parameters=strategies.parameter_lists, old=strategies.parameter_lists, data=st.data())
@thorough
def test_answers_for_any_other_list_do_no_harm(
    parameters: list[dict[str, Any]], old: list[dict[str, Any]], data: st.DataObject
) -> None:
    """A draft for one app can be opened in any other, and answers that don't fit are listed."""
    known = lookup(*UPLOADS)
    typed = {name: value for name, value, _ in (_fill(question, data) for question in questions_of(old))}
    answers = build_form(old, [])(
        posted(filled(build_form(old, [])(uploads=known), typed)), uploads=known
    ).draft_answers()
    form = build_form(parameters, [])(answers=answers, uploads=known)
    rendered(form)
    assert len(form.dropped) <= len(answers)
    to_inputs(questions_of(parameters), form.draft_answers(), URLS)


@given(text=strategies.typed)
def test_only_line_ends_of_a_text_change(text: str) -> None:
    form = build_form([{"name": "T", "type": "text"}], [])(posted([("p0", text)]))
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    assert form.draft_answers()[0].value == expected
    assert sendable(expected) == expected
