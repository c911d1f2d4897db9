"""Filters for the permission rules of models: `{% if run|changeable_by:user %}`."""

from django import template

from runs.models import Member, Preset, Run

register = template.Library()


@register.filter
def belongs_to(row: Run | Preset, member: Member) -> bool:
    """Return whether `row` belongs to the member."""
    return row.belongs_to(member)


@register.filter
def changeable_by(row: Run | Preset, member: Member) -> bool:
    """Return whether the member may change `row`."""
    return row.is_changeable_by(member)


@register.filter
def releasable_by(run: Run, member: Member) -> bool:
    """Return whether the member may stop protecting `run` from deletion."""
    return run.is_releasable_by(member)
