"""Forms on the pages where admins set up apps."""

from typing import Any

from runs.web.posted import CutField, PostedForm, RepeatedField, SwitchField, number_seen
from runs.words.numbers import number_in


class ArrangeForm(PostedForm):
    """The admins' list of apps, as posted.

    `act` is the button that was pressed, `app` the ticked apps and `group` the group to put them in. `on` lists all the
    apps on the page. In the same order, `place` lists the place typed for each app, and `was` lists the place that the
    page showed.
    """

    act = CutField(120)
    app = RepeatedField()
    group = CutField(200)
    on = RepeatedField()
    was = RepeatedField()
    place = RepeatedField()
    back = CutField(500)

    def clean(self) -> dict[str, Any]:
        """Add `moved`: the apps that were given a new place, and what it is."""
        given = self.cleaned_data
        rows = zip(given["on"], given["was"], given["place"], strict=False)
        typed = ((public_id, was, place.strip()) for public_id, was, place in rows)
        given["moved"] = [
            (public_id, number)
            for public_id, was, place in typed
            if place != was and (number := number_in(place, 0, 99_999, None)) is not None
        ]
        return given


class AppSettingsForm(PostedForm):
    """An app's settings page, as posted. `seen` is the version of the rules that the page showed, and `schema` the
    version of the app's form. `forget` lists the rules to delete because their fields no longer exist."""

    seen = CutField(12)
    schema = CutField(16)
    name = CutField()
    line = CutField()
    group = CutField()
    house_rules = CutField()
    audience = CutField(10)
    role = RepeatedField()
    asks = SwitchField()
    price = CutField()
    forget = RepeatedField()

    def clean_seen(self) -> int:
        return number_seen(self.cleaned_data["seen"])


class FieldSettingsForm(PostedForm):
    """An admin's settings for one field; the prefix is the field's name in the app's form.

    The value of a locked field is in `text`, `option` (the option's position) or `kept` (the id of an existing file).
    If `own` is set, the app's own default is used instead of that file. Allowed options are either ticked (`allowed`)
    or typed, one per line (`lines`).
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
    """Confirms a reset. `seen` is the version of the rules that the page showed when it asked for confirmation."""

    seen = CutField(12)

    def clean_seen(self) -> int:
        return number_seen(self.cleaned_data["seen"])
