"""Forms for decisions, and for the rules about them."""

from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from runs.models import Decision, ReviewRules
from runs.review import rules
from runs.web.posted import CutField, OneOfField, PostedForm, RepeatedField, SeenForm, number_seen

LOOKS = ("page", "box", "column")


class ReviewPanelForm(PostedForm):
    """How the panel looks on its page (`look`), and the page to return to (`next`)."""

    look = CutField()
    next = CutField()

    def clean_look(self) -> str:
        return self.cleaned_data["look"] if self.cleaned_data["look"] in LOOKS else LOOKS[0]


class DecideForm(ReviewPanelForm):
    """A verdict with its note; `seen` is the state that the page showed."""

    verdict = OneOfField(choices=Decision.Verdict.choices)
    note = CutField()
    seen = CutField()

    def clean_seen(self) -> int:
        return number_seen(self.cleaned_data["seen"])


class UndoForm(ReviewPanelForm):
    """`result` is the id of the result whose panel has the Undo button."""

    result = CutField()


class ChooseForm(PostedForm):
    """The id of the `chosen` result, and the ids of all compared results (`on`), each with the state that the page
    showed, as in "abc:3"."""

    chosen = CutField()
    on = RepeatedField()
    next = CutField()

    def clean_on(self) -> dict[str, int]:
        pairs = (pair.partition(":") for pair in self.cleaned_data["on"][:10])
        return {public_id: number_seen(number) for public_id, _, number in pairs}


class ReviewRulesForm(SeenForm, forms.ModelForm):  # type: ignore[type-arg]  # ModelForm is generic only in django-stubs
    """The rules for deciding. `on` has the public ids of the apps on the page, and `app` those of the apps whose shared
    results are always reviewed."""

    deciders = OneOfField(label=_lazy("Who can decide"), choices=ReviewRules.Deciders.choices)
    app = RepeatedField()
    on = RepeatedField()

    class Meta:
        model = ReviewRules
        fields = ("deciders", "four_eyes", "only_deciders_links", "needs_reason")
        labels: ClassVar[Any] = {
            "four_eyes": _lazy("Makers can't approve their own results"),
            "only_deciders_links": _lazy("Guests' answers count only through links of people who can decide"),
            "needs_reason": _lazy("“Needs changes” and “Reject” require a reason"),
        }

    def __init__(self, data: QueryDict | None, instance: ReviewRules) -> None:
        super().__init__(data, instance=instance, initial={"seen": rules.rules_version(instance)})

    def clean_deciders(self) -> str:
        """Return the posted value if it is one of the choices; otherwise, the current value."""
        deciders = str(self.cleaned_data["deciders"])
        return deciders if deciders in ReviewRules.Deciders.values else self.instance.deciders

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        data["on"] = " ".join(data["on"]).split()
        return data

    def overtake(self, name: str, stored: SeenForm) -> None:
        """Also list the apps whose results are now always reviewed, if they aren't the ones that were ticked."""
        super().overtake(name, stored)
        asking = rules.asking_apps() & set(self.cleaned_data["on"])
        if asking != set(self.cleaned_data["app"]):
            names = rules.reviewable_apps().filter(public_id__in=asking).values_list("name", flat=True)
            apps = ", ".join(names) or _("none")
            self.add_error(None, _("Apps that ask for a decision automatically: %(apps)s") % {"apps": apps})
