"""Forms of the pages on which admins shape apps."""

from typing import Any

from runs.web.posted import CutField, PostedForm, RepeatedField, SwitchField


def number_seen(text: str) -> int:
    """Return the posted version of the rules; -1, which is never current, if it isn't a number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


class ArrangeForm(PostedForm):
    """The list of apps as posted: the button (`act`), the ticked apps, the group for them, and the place typed for each
    app of the page (`on` and `place` in the same order, with the place that the page showed in `was`)."""

    act = CutField(120)
    app = RepeatedField()
    group = CutField(200)
    on = RepeatedField()
    was = RepeatedField()
    place = RepeatedField()
    back = CutField(500)

    def clean(self) -> dict[str, Any]:
        """Add `moved`: the apps whose place was changed, with their new places."""
        given = self.cleaned_data
        rows = zip(given["on"], given["was"], given["place"], strict=False)
        typed = ((public_id, was, place.strip()) for public_id, was, place in rows)
        given["moved"] = [
            (public_id, int(place))
            for public_id, was, place in typed
            if place != was and place.isascii() and place.isdigit() and len(place) < 6
        ]
        return given


class ShapeForm(PostedForm):
    """An app's page as an admin posted it: `seen` is the version of the rules that the page showed, `schema` that of
    the app's form, `forget` names rules to delete whose field is gone."""

    seen = CutField(12)
    schema = CutField(16)
    name = CutField()
    line = CutField()
    group = CutField()
    house_rules = CutField()
    audience = CutField(10)
    role = RepeatedField()
    asks = SwitchField()
    price = CutField(20)
    forget = RepeatedField()

    def clean_seen(self) -> int:
        return number_seen(self.cleaned_data["seen"])


class FieldShapeForm(PostedForm):
    """What an admin wants of one field; its prefix is the field's name in the app's form.

    The value of a locked field is `text`, the position of an `option`, or the id of a `file` that is there already;
    `own` takes the app's default instead of that file. Allowed options are ticked (`allowed`), or one a line (`lines`).
    """

    label = CutField()
    help = CutField()
    mode = CutField(10)
    text = CutField()
    option = CutField(6)
    kept = CutField(16)
    own = SwitchField()
    allowed = RepeatedField()
    lines = CutField()


class ResetForm(PostedForm):
    """The version of the rules that the question was about."""

    seen = CutField(12)

    def clean_seen(self) -> int:
        return number_seen(self.cleaned_data["seen"])
