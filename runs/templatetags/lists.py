"""What apps, drafts, invites and runs in the bin say in lists besides their own words."""

from django import template

from runs.display import bin_rows
from runs.history.bin import gone_at
from runs.launching import open_drafts
from runs.models import App
from runs.notices import notice_text
from runs.schema_forms import results
from runs.team import invites
from runs.words import credits, time_spans

register = template.Library()
register.filter(open_drafts.draft_words)
register.filter("invite_address", invites.address_of)
register.filter(gone_at)
register.filter(notice_text.run_name)
register.filter(bin_rows.first_input)
register.filter(bin_rows.row_picture)


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
