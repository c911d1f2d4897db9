"""Forms for limits, alerts and prices, in credits."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from runs.models import MemberLimit, SpendingLimits
from runs.models.spending import day_of
from runs.spending.limit_settings import limit_version, rules_version
from runs.web.posted import CreditsField, CutField, PostedForm, SeenForm
from runs.words.credits import to_credits, to_hundredths


class RulesForm(SeenForm):
    """The limits for everyone, and when to alert admins."""

    default = CreditsField(
        label=_lazy("Each person"), help_text=_lazy("Applies unless you set a different limit for someone below.")
    )
    portal = CreditsField(
        label=_lazy("Everyone together"),
        help_text=_lazy("Once this limit is reached, nobody can run anything, not even admins."),
    )
    allows_unknown = forms.BooleanField(
        label=_lazy("Allow apps whose cost is unknown"),
        required=False,
        help_text=_lazy(
            "Their runs count as 0 credits. If this is off, nobody can run these apps until you set a price below."
        ),
    )
    day = CreditsField(
        label=_lazy("Spent in 24 hours"),
        help_text=_lazy("Across the whole account, in this portal or elsewhere."),
    )
    left = CreditsField(label=_lazy("Credits left in the account"), help_text=_lazy("When this much or less is left."))

    LIMITS, ALERTS = ("default", "portal"), ("day", "left")

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data, initial=_initial(SpendingLimits.current()) | {"seen": rules_version()})

    def limit_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.LIMITS]

    def alert_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.ALERTS]

    def clean_left(self) -> Decimal | None:
        left: Decimal | None = self.cleaned_data["left"]
        return None if left is None else left.to_integral_value()

    def rules(self) -> SpendingLimits:
        """Return the rules as entered, without saving them."""
        data = self.cleaned_data
        return SpendingLimits(
            default_hundredths=_hundredths(data["default"]),
            portal_hundredths=_hundredths(data["portal"]),
            allows_unknown=data["allows_unknown"],
            day_hundredths=_hundredths(data["day"]),
            left_credits=None if data["left"] is None else int(data["left"]),
        )


class PersonLimitForm(SeenForm):
    """One person's limit: the same as everyone's, their own, or none; and a temporary increase."""

    SORTS = (
        ("default", _lazy("Same as everyone else")),
        ("own", _lazy("Their own limit")),
        ("none", _lazy("No limit")),
    )

    sort = forms.ChoiceField(label=_lazy("Monthly limit"), choices=SORTS, widget=forms.RadioSelect)
    own = CreditsField(label=_lazy("Their own limit"))
    raised_to = CreditsField(label=_lazy("Raise the limit to"))
    raised_until = forms.DateField(
        label=_lazy("Last day of the raised limit"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=_lazy("Leave empty to keep the raised limit until you remove it."),
        error_messages={"invalid": _lazy("Enter a date such as 2026-12-31.")},
    )

    def __init__(self, limit: MemberLimit, default: int | None, data: QueryDict | None = None) -> None:
        self.limit, self.default = limit, default
        sort = "none" if limit.is_unlimited else "default" if limit.hundredths is None else "own"
        initial = {"sort": sort, "own": _credits(limit.hundredths), "raised_to": _credits(limit.raised_to)}
        super().__init__(data, initial=initial | {"raised_until": limit.raised_until, "seen": limit_version(limit)})
        self.fields["raised_until"].widget.attrs["min"] = f"{day_of(timezone.now()):%Y-%m-%d}"

    def clean_raised_until(self) -> date | None:
        day: date | None = self.cleaned_data["raised_until"]
        if day is not None and day < day_of(timezone.now()) and day != self.limit.raised_until:
            raise ValidationError(_("That day has passed. Choose today or later."))
        return day

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("sort") == "own" and data.get("own") is None and "own" not in self.errors:
            self.add_error("own", _("Enter their limit, such as 100 credits."))
        base = _hundredths(data.get("own")) if data.get("sort") == "own" else self.default
        raised = _hundredths(data.get("raised_to"))
        if raised is not None and base is not None and raised <= base and data.get("sort") != "none":
            self.add_error("raised_to", _("The raised limit must be higher than the usual limit."))
        return data

    def changed_limit(self) -> MemberLimit:
        """Return the limit as entered, without saving it."""
        data, limit = self.cleaned_data, self.limit
        limit.is_unlimited = data["sort"] == "none"
        limit.hundredths = _hundredths(data["own"]) if data["sort"] == "own" else None
        limit.raised_to = _hundredths(data["raised_to"])
        limit.raised_until = data["raised_until"] if limit.raised_to is not None else None
        return limit


class PriceForm(forms.Form):
    """What a full run of an app costs; empty if unknown."""

    price = CreditsField()
    seen = CutField(200)


class SheetForm(PostedForm):
    """The parameters of the spending page (`views.manage_spending`) whose charges are being downloaded."""

    month = CutField()
    span = CutField()
    by = CutField()
    app = CutField()


class HigherLimitForm(PostedForm):
    """A request for a higher limit. `back` is the page that the member sent it from."""

    back = CutField(2000)


def _hundredths(amount: Decimal | None) -> int | None:
    return None if amount is None else to_hundredths(amount)


def _credits(hundredths: int | None) -> str:
    """Return an amount as form fields show it, such as "100" or "12.5"; empty if there is none."""
    return "" if hundredths is None else f"{to_credits(hundredths).normalize():f}"


def _initial(rules: SpendingLimits) -> dict[str, Any]:
    return {
        "default": _credits(rules.default_hundredths),
        "portal": _credits(rules.portal_hundredths),
        "allows_unknown": rules.allows_unknown,
        "day": _credits(rules.day_hundredths),
        "left": "" if rules.left_credits is None else str(rules.left_credits),
    }
