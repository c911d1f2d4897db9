"""The form on the page where admins arrange the apps."""

from typing import Any

from runs.web.posted import CutField, PostedForm, RepeatedField
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
        data = self.cleaned_data
        rows = zip(data["on"], data["was"], data["place"], strict=False)
        places = ((public_id, was, place.strip()) for public_id, was, place in rows)
        data["moved"] = [
            (public_id, number)
            for public_id, was, place in places
            if place != was and (number := number_in(place, 0, 99_999, None)) is not None
        ]
        return data
