"""Forms for sharing: who sees a run, guest links and their options, and the rules set by admins."""

from copy import copy
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from runs.models import GuestLink, Member, Output, ReviewRules, SharingRules, StoredFile
from runs.sharing import guest_copies, links
from runs.sharing import rules as sharing_rules
from runs.sharing.guest_names import labels_of
from runs.sharing.links import LONGEST_MESSAGE, LONGEST_PASSPHRASE, PLAIN_OPTIONS, LinkOptions
from runs.web.posted import (
    CutField,
    DaysField,
    NameField,
    OneOfField,
    PostedForm,
    RepeatedField,
    SeenForm,
    SwitchField,
)
from runs.words.moments import day_words, portal_day

SHORTEST_PASSPHRASE = 6
TOO_LONG = {"max_length": _lazy("Use at most %(limit_value)d characters.")}


class SharePanelForm(PostedForm):
    """Who may see a run, as chosen in its sharing panel. `o` is the id of the result that the panel was opened for, if
    any."""

    who = CutField()
    o = RepeatedField()


class NewLinkForm(PostedForm):
    """A new link to chosen results (`o`), or to every ready result of a run (`run`).

    `pick` holds the ids ticked in a list of the run's results; `picks` is set if the page had that list.
    """

    run = CutField()
    o = RepeatedField()
    pick = RepeatedField()
    picks = SwitchField()


class LinkActionForm(PostedForm):
    """Where a link's button was pressed: in a run's panel (`run`), on a page (`back`) or in the list of all links
    (`all`)."""

    run = CutField()
    back = CutField()
    all = forms.BooleanField(required=False)


class ReplaceForm(PostedForm):
    """The id of a result that a link shows, and the id of its newer version."""

    old = CutField(16)
    new = CutField(16)


class SamePersonForm(PostedForm):
    """The ids of two guests of a link who are the same person; they become the first one."""

    guest = CutField(16)
    other = CutField(16)


class PassphraseForm(PostedForm):
    """The passphrase that a guest enters."""

    passphrase = CutField(500)


class SharingRulesForm(SeenForm, forms.ModelForm):  # type: ignore[type-arg]  # generic only in django-stubs
    """The sharing rules that admins set. The logo file is in `request.FILES`."""

    longest_days = DaysField(
        1, links.LONGEST_DAYS, "", label=_lazy("Maximum number of days a link can last"), required=True
    )
    link_makers = OneOfField(label=_lazy("Who can create links"), choices=SharingRules.Makers.choices)
    company = NameField(60, label=_lazy("Company name"))
    no_logo = forms.BooleanField(required=False)

    class Meta:
        model = SharingRules
        fields = sharing_rules.RULES
        labels: ClassVar[Any] = {
            "guests_allowed": _lazy("Allow guest links"),
            "needs_passphrase": _lazy("Require a passphrase for every new link"),
            "team_by_default": _lazy("Share new runs with the team automatically"),
        }

    def __init__(self, data: QueryDict | None, instance: SharingRules) -> None:
        super().__init__(data, instance=instance, initial={"seen": sharing_rules.rules_version(instance)})
        words = _("Enter a number of days from 1 to %(most)s.") % {"most": links.LONGEST_DAYS}
        self.fields["longest_days"].error_messages |= {"required": words, "invalid": words}

    def clean_link_makers(self) -> str:
        """Return the posted value if it is one of the choices, otherwise the current one."""
        makers = str(self.cleaned_data["link_makers"])
        return makers if makers in SharingRules.Makers.values else self.instance.link_makers


@dataclass(frozen=True)
class ResultChoice:
    """A result that a link could show, and whether the link shows it."""

    output: Output
    label: str
    is_shown: bool

    @property
    def file(self) -> StoredFile | None:
        """The result's first file, if it has been saved."""
        first = next(iter(self.output.files.all()), None)
        return first.file if first is not None else None

    @property
    def icon(self) -> str:
        if self.output.text:
            return "text"
        return self.file.kind if self.file is not None else "file"


class LinkForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in django-stubs
    """The options for `link`: the results it shows (from `choices`), its audience, its last day, and what guests may
    do."""

    message = forms.CharField(required=False, max_length=LONGEST_MESSAGE, error_messages=TOO_LONG)
    o = RepeatedField()
    last_day = forms.DateField(input_formats=["%Y-%m-%d"])
    passphrase = forms.CharField(required=False, max_length=LONGEST_PASSPHRASE, error_messages=TOO_LONG)
    no_passphrase = forms.BooleanField(required=False)

    class Meta:
        model = GuestLink
        fields = PLAIN_OPTIONS
        error_messages: ClassVar[Any] = {"audience": TOO_LONG}

    def __init__(self, link: GuestLink, choices: list[Output], data: QueryDict | None, initial: dict[str, Any]) -> None:
        # Validation changes its instance even if there are errors, but the page shows the link as it is.
        super().__init__(data, initial=initial, instance=copy(link))
        self.link, self.choices, self.rules = link, choices, SharingRules.current()
        self.fields["last_day"].error_messages |= {"required": self._days_words, "invalid": self._days_words}

    @property
    def first_day(self) -> date:
        return portal_day()

    @property
    def latest_day(self) -> date:
        return max(links.latest_day(self.rules), links.last_day_of(self.link))

    @property
    def needs_passphrase(self) -> bool:
        return self.rules.needs_passphrase

    @property
    def has_films_as_they_are(self) -> bool:
        """Whether the link could share video or audio files that may contain a prompt the portal can't remove."""
        return guest_copies.has_films_as_they_are(self.choices)

    @property
    def options(self) -> list[ResultChoice]:
        """All results that the link could show. All versions of a result have the same label."""
        checked = set(self["o"].value() or [])
        lines = {output.first_id: output for output in self.choices}
        labels = dict(zip(lines, labels_of(list(lines.values())), strict=True))
        return [ResultChoice(output, labels[output.first_id], output.public_id in checked) for output in self.choices]

    @property
    def decide_help(self) -> str:
        """Whether guests' decisions count, according to the rules for deciding."""
        rules = ReviewRules.current()
        if rules.only_deciders_links and not rules.may_decide(self.link.member):
            return _("Guests' decisions are only shown: someone on your team still has to decide.")
        if rules.four_eyes:
            return _(
                "Guests' decisions count the same as your team's. But if a guest approves something that "
                "%(name)s made, the team is asked to decide as well."
            ) % {"name": self.link.member.display_name}
        return _("Guests' decisions count the same as your team's.")

    @property
    def last_day_help(self) -> str:
        return _("No later than %(day)s.") % {"day": day_words(self.latest_day)}

    @property
    def passphrase_label(self) -> str:
        return _("New passphrase") if self.link.passphrase else _("Passphrase")

    @property
    def passphrase_help(self) -> str:
        if self.link.passphrase:
            return _("Leave empty to keep the current passphrase.")
        return _("Leave empty for a link without a passphrase.")

    @property
    def link_options(self) -> LinkOptions | None:
        """The posted options; None if they aren't valid."""
        if not self.is_valid():
            return None
        data = self.cleaned_data
        taken_away = "" if data["no_passphrase"] else None
        return LinkOptions(
            outputs=data["o"],
            last_day=data["last_day"],
            passphrase=data["passphrase"] or taken_away,
            plain={name: data[name] for name in PLAIN_OPTIONS},
        )

    @property
    def _days_words(self) -> str:
        day = day_words(self.latest_day)
        return _("Choose a date from today to %(day)s, the latest date that admins allow.") % {"day": day}

    def clean_message(self) -> str:
        return str(self.cleaned_data["message"]).replace("\r\n", "\n")

    def clean_o(self) -> list[Output]:
        outputs = [output for output in self.choices if output.public_id in self.cleaned_data["o"]]
        if not outputs:
            raise ValidationError(_("Choose at least one result. To stop sharing, revoke the link."))
        return outputs

    def clean_last_day(self) -> date:
        day: date = self.cleaned_data["last_day"]
        if not self.first_day <= day <= self.latest_day:
            raise ValidationError(self._days_words)
        return day

    def clean_passphrase(self) -> str:
        passphrase = str(self.cleaned_data["passphrase"])
        if passphrase and len(passphrase) < SHORTEST_PASSPHRASE:
            words = _("Use at least %(count)s characters. A few words work best.")
            raise ValidationError(words % {"count": SHORTEST_PASSPHRASE})
        return passphrase

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        has_none = data["no_passphrase"] or not self.link.passphrase
        if self.needs_passphrase and has_none and data.get("passphrase") == "":
            self.add_error("passphrase", _("Guest links need a passphrase. Choose one."))
        return data


def choices_of(link: GuestLink, member: Member) -> list[Output]:
    """Return the results that `link` could show: those it shows now, and all other ready results from the same runs."""
    runs = Output.objects.filter(guest_links=link).values("run")
    ids = Output.objects.filter(run__in=runs).values_list("public_id", flat=True)
    return links.outputs_for(member, ids)


def link_form(link: GuestLink, member: Member, posted: QueryDict | None = None) -> LinkForm:
    """Return the form, filled in with the options of `link` or with the `posted` values."""
    now: dict[str, Any] = {}
    if posted is None:
        output_ids = list(link.outputs.values_list("public_id", flat=True))
        now = {"o": output_ids, "last_day": links.last_day_of(link).isoformat()}
    return LinkForm(link, choices_of(link, member), posted, now)
