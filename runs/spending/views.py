"""The spending page, for admins."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from runs.audit.record import record
from runs.models import App, Charge, Member, SpendingLimits, Verb
from runs.spending import account
from runs.spending.forms import SheetForm
from runs.spending.overview import SpendingFilters, overview
from runs.spending.period import Period, moved
from runs.spending.sheet import sheet
from runs.team.reauthentication import recent_password_required
from runs.web.csv_files import csv_file
from runs.web.http import PortalRequest, admins_only, render_page
from runs.words.credits import credit_words
from runs.words.numbers import number_words

WHOLE = ("people", "apps", "approved")


@require_safe
@never_cache
@admins_only
def manage_spending(request: PortalRequest) -> HttpResponse:
    """Show a month or a year (`?month=2026-11&span=12`), possibly for one person (`by`) or app (`app`), or with all
    rows of one table (`all`)."""
    filters = _filters(request.GET.dict())
    period, is_everything = filters.period, filters.person is None and filters.app is None
    rules = SpendingLimits.current()
    here = f"{reverse('runs:manage-spending')}?{period.query}{_query(filters)}"
    context = {
        "section": "manage",
        "filters": filters,
        "spending": overview(filters),
        "here": here,
        "all_people": f"{here}&all=people#by-person",
        "all_apps": f"{here}&all=apps#by-app",
        "all_approved": f"{here}&all=approved#approved",
        "period": period,
        "before": moved(period.month, -1),
        "after": moved(period.month, 1) if moved(period.month, 1) <= Period.parse("", "").month else None,
        "query": _query(filters),
        "account": _account(account.growth(period.starts_at, period.ends_at)) if is_everything else None,
        "is_everything": is_everything,
        "limit": None if period.is_year or not is_everything else rules.portal_hundredths,
        "limit_words": credit_words(rules.portal_hundredths or 0),
        "has_old": Charge.objects.filter(is_from_before=True, month__in=period.months).exists(),
    }
    return render_page(request, "spending/manage_spending.html", context)


@require_POST
@never_cache
@admins_only
@recent_password_required
def spending_sheet(request: PortalRequest) -> StreamingHttpResponse:
    """Download every charge in the period as CSV. The download is recorded."""
    filters = _filters(SheetForm.read(request.POST))
    name = f"spending-{filters.period.slug}.csv"
    with transaction.atomic():
        record(Verb.EXPORTED, None, label=name)
    return csv_file(name, sheet(filters))


def _filters(query: Mapping[str, str]) -> SpendingFilters:
    """Return the period, person, app and table that the request asks for. Unknown people and apps are ignored."""
    by, app, whole = query.get("by", ""), query.get("app", ""), query.get("all", "")
    return SpendingFilters(
        Period.parse(query.get("month", ""), query.get("span", "")),
        person=Member.objects.filter(public_id=by).first() if by else None,
        app=App.objects.filter(public_id=app).first() if app else None,
        whole=whole if whole in WHOLE else "",
    )


def _account(growth: account.Growth | None) -> dict[str, Any] | None:
    """Return how the account's total compares with our charges, in words; None if there is no reading yet."""
    if growth is None:
        return None
    return {
        "since": growth.since,
        "spent": credit_words(growth.spent),
        "charged": credit_words(growth.charged),
        "is_less": growth.gap < 0,
        "gap": credit_words(abs(growth.gap)),
        "note": _gap_note(growth),
    }


def _gap_note(growth: account.Growth) -> str:
    """Return a sentence saying how large the gap is compared with what we charged, and what may explain it."""
    percent = {"percent": number_words(abs(growth.gap_percent))}
    is_small = growth.gap_percent == 0
    if growth.gap > 0 and growth.charged:
        if is_small:
            words = _(
                "Up to 1%% more than was charged here: some credits were spent elsewhere, or the estimates were "
                "too low."
            )
        else:
            words = _(
                "%(percent)s%% more than was charged here: some credits were spent elsewhere, or the estimates were "
                "too low."
            )
        return words % percent
    if growth.gap > 0:
        return _("Spent outside this portal.")
    if growth.gap and is_small:
        return _("Up to 1%% less than was charged here: the estimates were too high.") % percent
    if growth.gap:
        return _("%(percent)s%% less than was charged here: the estimates were too high.") % percent
    return _("Every credit is accounted for.")


def _query(filters: SpendingFilters) -> str:
    """Return the person and the app as a query string with a leading "&"; "" if neither is set."""
    values = {
        "by": filters.person.public_id if filters.person else "",
        "app": filters.app.public_id if filters.app else "",
    }
    query = urlencode({name: value for name, value in values.items() if value})
    return f"&{query}" if query else ""
