"""What is posted about sharing: who sees a run, links for guests, what one link shows, and the rules of the admins."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from runs.models import GuestLink, Member, Output, SharingRules
from runs.sharing import guest_copies, links
from runs.sharing.guest_names import labels_of
from runs.sharing.links import LONGEST_AUDIENCE, LONGEST_MESSAGE, LONGEST_PASSPHRASE, LinkOptions
from runs.web.posted import CutField, DaysField, PostedForm, RepeatedField

SHORTEST_PASSPHRASE = 6
MUST_HAVE = "Links need a passphrase here. Choose one."
TOO_LONG = {"max_length": "This is longer than %(limit_value)d characters."}
TICKS = ("may_download", "shows_inputs", "shows_app")


class PanelForm(PostedForm):
    """Who shall see the run; `o` names the results that the panel was opened for."""

    who = CutField()
    o = RepeatedField()


class NewLinkForm(PostedForm):
    """A link to results (`o`), or to all that is ready in a run (`run`)."""

    run = CutField()
    o = RepeatedField()


class LinkActionForm(PostedForm):
    """Where the button of a link stood: in the panel of a run, in a list, or in the list of everybody's."""

    run = CutField()
    back = CutField()
    all = forms.BooleanField(required=False)


class PassphraseForm(PostedForm):
    """What a guest types to see a link."""

    passphrase = CutField(500)


class SharingRulesForm(forms.ModelForm):  # type: ignore[type-arg]  # django-stubs' ModelForm takes one only for mypy
    """What admins allow."""

    longest_days = DaysField(
        1, links.LONGEST_DAYS, f"Give a number of days from 1 to {links.LONGEST_DAYS}.", required=True
    )
    link_makers = CutField()

    class Meta:
        model = SharingRules
        fields = ("guests_allowed", "longest_days", "needs_passphrase", "link_makers", "team_by_default")

    def clean_link_makers(self) -> str:
        """One of the choices; anything else leaves it as it is."""
        makers = str(self.cleaned_data["link_makers"])
        return makers if makers in SharingRules.Makers.values else self.instance.link_makers


class LinkForm(forms.Form):
    """The options of LINK: what it shows of CHOICES, to whom, how long, and what they may."""

    audience = forms.CharField(required=False, max_length=LONGEST_AUDIENCE, error_messages=TOO_LONG)
    message = forms.CharField(required=False, max_length=LONGEST_MESSAGE, error_messages=TOO_LONG)
    o = RepeatedField()
    last_day = forms.DateField(input_formats=["%Y-%m-%d"])
    passphrase = forms.CharField(required=False, max_length=LONGEST_PASSPHRASE, error_messages=TOO_LONG)
    no_passphrase = forms.BooleanField(required=False)
    may_download = forms.BooleanField(required=False)
    shows_inputs = forms.BooleanField(required=False)
    shows_app = forms.BooleanField(required=False)

    def __init__(self, link: GuestLink, choices: list[Output], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.link, self.choices, self.rules = link, choices, SharingRules.current()
        self.fields["last_day"].error_messages |= {"required": self._days_words, "invalid": self._days_words}

    @property
    def first_day(self) -> date:
        return timezone.localdate()

    @property
    def latest_day(self) -> date:
        return max(links.latest_day(self.rules), links.last_day_of(self.link))

    @property
    def needs_passphrase(self) -> bool:
        return self.rules.needs_passphrase

    @property
    def has_films_as_they_are(self) -> bool:
        """Whether it may share video or audio from which the portal can't remove the prompt."""
        return guest_copies.has_films_as_they_are(self.choices)

    @property
    def options(self) -> list[tuple[Output, str, bool]]:
        """Each result that could be shown, what it is called, and whether it is."""
        chosen = set(self["o"].value() or [])
        named = zip(self.choices, labels_of(self.choices), strict=True)
        return [(output, label, output.public_id in chosen) for output, label in named]

    @property
    def link_options(self) -> LinkOptions | None:
        """What was posted means this, if nothing is wrong with it."""
        if not self.is_valid():
            return None
        given = self.cleaned_data
        taken_away = "" if given["no_passphrase"] else None
        return LinkOptions(
            outputs=given["o"],
            audience=given["audience"],
            message=given["message"].replace("\r\n", "\n"),
            last_day=given["last_day"],
            passphrase=given["passphrase"] or taken_away,
            **{tick: given[tick] for tick in TICKS},
        )

    @property
    def _days_words(self) -> str:
        return f"Choose a day between today and {self.latest_day:%-d %B %Y}, the longest an admin allows."

    def clean_o(self) -> list[Output]:
        outputs = [output for output in self.choices if output.public_id in self.cleaned_data["o"]]
        if not outputs:
            raise ValidationError("Tick at least one result. To show nothing any more, revoke the link.")
        return outputs

    def clean_last_day(self) -> date:
        day: date = self.cleaned_data["last_day"]
        if not self.first_day <= day <= self.latest_day:
            raise ValidationError(self._days_words)
        return day

    def clean_passphrase(self) -> str:
        typed = str(self.cleaned_data["passphrase"])
        if typed and len(typed) < SHORTEST_PASSPHRASE:
            raise ValidationError(f"Use at least {SHORTEST_PASSPHRASE} characters: a few words are best.")
        return typed

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        has_none = given["no_passphrase"] or not self.link.passphrase
        if self.needs_passphrase and has_none and given.get("passphrase") == "":
            self.add_error("passphrase", MUST_HAVE)
        return given


def choices_of(link: GuestLink, member: Member) -> list[Output]:
    """Results LINK may show: those it does, and whatever else is ready in their runs."""
    runs = Output.objects.filter(guest_links=link).values("run")
    ids = Output.objects.filter(run__in=runs).values_list("public_id", flat=True)
    return links.outputs_for(member, ids)


def link_form(link: GuestLink, member: Member, posted: QueryDict | None = None) -> LinkForm:
    """The form as LINK is, or as it was POSTED."""
    now: dict[str, Any] = {}
    if posted is None:
        now = {"o": list(link.outputs.values_list("public_id", flat=True)), "audience": link.audience}
        now |= {"message": link.message, "last_day": links.last_day_of(link).isoformat()}
        now |= {tick: getattr(link, tick) for tick in TICKS}
    return LinkForm(link, choices_of(link, member), posted, initial=now)
