"""Forms for deciding, and for the rules of deciding."""

from typing import Any

from django import forms

from runs.models import ReviewRules
from runs.web.posted import CutField, PostedForm, RepeatedField, number_seen

LOOKS = ("page", "box", "column")


class PanelForm(PostedForm):
    """Where the panel is: its `look` (which depends on the page), and the page to return to (`next`)."""

    look = CutField()
    next = CutField()

    def clean_look(self) -> str:
        return self.cleaned_data["look"] if self.cleaned_data["look"] in LOOKS else LOOKS[0]


class DecideForm(PanelForm):
    """A verdict with its note; `seen` is the state that the page showed."""

    verdict = CutField()
    note = CutField()
    seen = CutField()

    def clean_seen(self) -> int:
        return number_seen(self.cleaned_data["seen"])


class UndoForm(PanelForm):
    """`result` is the id of the result whose panel has the button."""

    result = CutField()


class ChooseForm(PostedForm):
    """The id of the `chosen` result and of all compared results (`on`), each with the state that the page showed, as in
    "abc:3"."""

    chosen = CutField()
    on = RepeatedField()
    next = CutField()

    def clean_on(self) -> dict[str, int]:
        pairs = (pair.partition(":") for pair in self.cleaned_data["on"][:10])
        return {public_id: number_seen(seen) for public_id, _, seen in pairs}


class ReviewRulesForm(forms.ModelForm):  # type: ignore[type-arg]  # django-stubs' ModelForm takes one only for mypy
    """The rules for deciding. Also which of the apps on the page (`on`, public ids) always have their shared results
    reviewed."""

    deciders = CutField()
    app = RepeatedField()
    on = RepeatedField()

    class Meta:
        model = ReviewRules
        fields = ("deciders", "four_eyes", "needs_reason")

    def clean_deciders(self) -> str:
        """Return the posted value if it is one of the choices, otherwise the current one."""
        deciders = str(self.cleaned_data["deciders"])
        return deciders if deciders in ReviewRules.Deciders.values else self.instance.deciders

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        given["on"] = " ".join(given["on"]).split()
        return given
