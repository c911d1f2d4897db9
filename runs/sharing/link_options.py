"""The options of one link for guests: read from a posted form, checked, and given back as they were typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date

from runs.models import GuestLink, Member, Output, SharingRules
from runs.sharing import guest_copies, links
from runs.sharing.guest_names import labels_of
from runs.sharing.links import LONGEST_AUDIENCE, LONGEST_MESSAGE, LONGEST_PASSPHRASE, LinkOptions

SHORTEST_PASSPHRASE = 6
MUST_HAVE = "Links need a passphrase here. Choose one."


@dataclass
class LinkForm:
    """What stands in the fields, what is wrong with it, and, when nothing is, what it means."""

    link: GuestLink
    rules: SharingRules
    choices: list[Output]
    chosen: set[str]
    values: dict[str, str]
    ticked: set[str]
    errors: dict[str, str] = field(default_factory=dict)
    wishes: LinkOptions | None = None

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
        named = zip(self.choices, labels_of(self.choices), strict=True)
        return [(output, label, output.public_id in self.chosen) for output, label in named]


TICKS = ("may_download", "shows_inputs", "shows_app")


def choices_of(link: GuestLink, member: Member) -> list[Output]:
    """Results LINK may show: those it does, and whatever else is ready in their runs."""
    runs = Output.objects.filter(guest_links=link).values("run")
    ids = Output.objects.filter(run__in=runs).values_list("public_id", flat=True)
    return links.outputs_for(member, ids)


def link_form(link: GuestLink, member: Member, posted: QueryDict | None = None) -> LinkForm:
    """The form as LINK is, or as it was POSTED."""
    rules, choices = SharingRules.current(), choices_of(link, member)
    if posted is None:
        chosen = set(link.outputs.values_list("public_id", flat=True))
        values = {"audience": link.audience, "message": link.message, "passphrase": ""}
        values["last_day"] = links.last_day_of(link).isoformat()
        return LinkForm(link, rules, choices, chosen, values, {tick for tick in TICKS if getattr(link, tick)})
    names = ("audience", "message", "last_day", "passphrase")
    values = {name: posted.get(name, "").strip() for name in names}
    ticked = {tick for tick in (*TICKS, "no_passphrase") if tick in posted}
    form = LinkForm(link, rules, choices, set(posted.getlist("o")), values, ticked)
    _check(form)
    return form


def _check(form: LinkForm) -> None:
    outputs = [output for output in form.choices if output.public_id in form.chosen]
    last_day = _day(form.values["last_day"])
    form.errors |= _too_long(form.values)
    if not outputs:
        form.errors["o"] = "Tick at least one result. To show nothing any more, revoke the link."
    if last_day is None or not form.first_day <= last_day <= form.latest_day:
        latest = f"{form.latest_day:%-d %B %Y}"
        form.errors["last_day"] = f"Choose a day between today and {latest}, the longest an admin allows."
    passphrase = _passphrase(form)
    if form.errors or last_day is None:
        return
    form.wishes = LinkOptions(
        outputs=outputs,
        audience=form.values["audience"],
        message=form.values["message"].replace("\r\n", "\n"),
        last_day=last_day,
        passphrase=passphrase,
        **{tick: tick in form.ticked for tick in TICKS},
    )


def _passphrase(form: LinkForm) -> str | None:
    """The new one, "" to take it away, None to leave it as it is."""
    typed = form.values["passphrase"]
    if typed and len(typed) < SHORTEST_PASSPHRASE:
        form.errors["passphrase"] = f"Use at least {SHORTEST_PASSPHRASE} characters: a few words are best."
    if typed:
        return typed
    is_taken_away = "no_passphrase" in form.ticked
    if form.needs_passphrase and (is_taken_away or not form.link.passphrase):
        form.errors["passphrase"] = MUST_HAVE
    return "" if is_taken_away else None


def _too_long(values: Mapping[str, str]) -> dict[str, str]:
    longest = {"audience": LONGEST_AUDIENCE, "message": LONGEST_MESSAGE, "passphrase": LONGEST_PASSPHRASE}
    return {
        name: f"This is longer than {most} characters." for name, most in longest.items() if len(values[name]) > most
    }


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None
