"""What apps, drafts and invites in lists say besides their own words."""

from django import template

from runs.launching import open_drafts
from runs.models import App
from runs.schema_forms import results
from runs.team import invites
from runs.words import credits, time_spans

register = template.Library()
register.filter(open_drafts.draft_words)
register.filter("invite_address", invites.address_of)


@register.filter
def makes_words(app: App) -> str:
    """Return what `app` makes, such as "makes 2 images"."""
    return results.makes_words(app.makes)


@register.filter
def usual_words(app: App) -> str:
    """Return how long a run of `app` usually takes; "" if that isn't known yet."""
    return time_spans.usual_words(app.usual_seconds, app.slow_seconds)


@register.filter
def credits_words(app: App) -> str:
    """Return what a run of `app` costs, such as "about 12 credits"."""
    return credits.about_credits(app.cost)
