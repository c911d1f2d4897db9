"""Filters for the permission rules of models: `{% if run|changeable_by:user %}`."""

from django import template

from runs.models import App, Member, Preset, Run

register = template.Library()


@register.filter
def belongs_to(row: Run | Preset, member: Member) -> bool:
    """Return whether `row` belongs to the member."""
    return row.belongs_to(member)


@register.filter
def open_to(app: App, member: Member) -> bool:
    """Return whether the admin's rules show `app` to the member."""
    return app.is_open_to(member)


@register.filter
def runnable_by(app: App, member: Member) -> bool:
    """Return whether the member may use `app`."""
    return app.is_runnable_by(member)


@register.filter
def changeable_by(row: Run | Preset, member: Member) -> bool:
    """Return whether the member may change `row`."""
    return row.is_changeable_by(member)


@register.filter
def releasable_by(run: Run, member: Member) -> bool:
    """Return whether the member may stop protecting `run` from deletion."""
    return run.is_releasable_by(member)
