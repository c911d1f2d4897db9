"""Offers for guest links that show an old version of a result: the link's maker can swap in the newest version with one
click."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from runs.models import GuestLink, GuestLinkOutput, Member, Output
from runs.sharing.links import outputs_for


@dataclass(frozen=True)
class VersionOffer:
    """A link that shows `old`; `new` is the newest version of that result."""

    link: GuestLink
    old: Output
    new: Output

    @property
    def words(self) -> str:
        values = {
            "label": self.old.numbered_label or _("Result"),
            "number": self.old.number,
            "name": self.link.audience,
        }
        if self.link.audience:
            return _("The link for %(name)s shows version %(number)s of %(label)s.") % values
        return _("A guest link shows version %(number)s of %(label)s.") % values


def version_offers(member: Member, outputs: Iterable[Output], link: GuestLink | None = None) -> list[VersionOffer]:
    """Return offers for the member's open links that show an outdated version of any of `outputs`. If `link` is given,
    return only the offers for that link."""
    lines = {output.first_id for output in outputs if not output.is_only_version}
    if not lines:
        return []
    family = list(Output.objects.filter(Q(pk__in=lines) | Q(line__in=lines)).order_by("number"))
    if len(family) == len(lines):  # no result has a second version
        return []
    completed = [output for output in family if output.status == Output.Status.COMPLETED]
    newest = {output.first_id: output for output in completed}
    there = {output.pk for output in outputs_for(member, [output.public_id for output in newest.values()])}
    links = GuestLink.objects.manageable_by(member).alive()
    link_outputs = GuestLinkOutput.objects.filter(output__in=family, link__in=links if link is None else [link])
    rows = list(link_outputs.select_related("link", "output").order_by("link", "position"))
    already = {(row.link_id, row.output_id) for row in rows}
    offers = []
    for row in rows:
        new = newest.get(row.output.first_id)
        if new is not None and new.pk in there and new.number > row.output.number:
            offers += [VersionOffer(row.link, row.output, new)] if (row.link_id, new.pk) not in already else []
    return offers
