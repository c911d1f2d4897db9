"""Limits, alerts and prices, for admins; and members' requests for a higher limit."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from runs.audit.overtaken import OvertakenError
from runs.models import App, Member, SpendingLimits
from runs.notices import alerts
from runs.spending import limit_settings
from runs.spending.forms import HigherLimitForm, PersonLimitForm, PriceForm, RulesForm
from runs.spending.limits import allowance_of
from runs.team.reauthentication import recent_password_required
from runs.web.http import PortalRequest, admins_only, go_to, makers_only, own_path, render_page, wants_fragment
from runs.web.posted import posted_of
from runs.words.credits import amount_words, to_hundredths


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
@recent_password_required
def manage_limits(request: PortalRequest) -> HttpResponse:
    """GET shows the limits for everyone and for each person; POST changes the limits for everyone."""
    form = RulesForm(posted_of(request))
    if form.is_valid():
        try:
            limit_settings.change_rules(form.rules(), form.cleaned_data["seen"])
        except OvertakenError as error:
            form.overtake(error.name, RulesForm())
        else:
            messages.success(request, _("Saved. The limits apply from the next run."))
            return go_to(request, reverse("runs:manage-limits"))
    return _page(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
@recent_password_required
def manage_limit(request: PortalRequest, person_id: str) -> HttpResponse:
    """GET shows one person's usage and limit; POST changes the limit."""
    person = limit_settings.person_limit(get_object_or_404(Member, public_id=person_id))
    default = SpendingLimits.current().default_hundredths
    form = PersonLimitForm(person.own, default, posted_of(request))
    if form.is_valid():
        try:
            limit_settings.change_person(form.changed_limit(), form.cleaned_data["seen"])
        except OvertakenError as error:
            form.overtake(error.name, PersonLimitForm(limit_settings.person_limit(person.member).own, default))
        else:
            name = person.member.display_name
            messages.success(request, _("Saved. The limit for %(name)s applies from the next run.") % {"name": name})
            return go_to(request, reverse("runs:manage-limits"))
    words = limit_settings.limit_words(default)
    context = {"section": "manage", "person": person, "form": form, "default_words": words}
    return render_page(request, "spending/manage_limit.html", context, status=422 if form.errors else 200)


@require_POST
@admins_only
@recent_password_required
def app_price(request: PortalRequest, app_id: str) -> HttpResponse:
    """Set the price of an app for which Lamina gives no estimate."""
    app = get_object_or_404(App, public_id=app_id)
    form = PriceForm(request.POST)
    if not form.is_valid():
        return _wrong_price(request, app, form, str(form.errors["price"][0]))
    try:
        limit_settings.change_price(app, form.cleaned_data["price"], form.cleaned_data["seen"])
    except OvertakenError as error:
        return _wrong_price(request, app, form, _price_meanwhile(app, error.name))
    messages.success(request, _("Saved. The price of %(app)s applies from the next run.") % {"app": app.name})
    return go_to(request, f"{reverse('runs:manage-limits')}#prices")


def _price_meanwhile(app: App, name: str) -> str:
    """Return a sentence saying that `name` has changed the price since the page was opened."""
    app.refresh_from_db(fields=["price"])
    if app.price is None:
        words = _("%(name)s has removed the price since you opened this page. Save again to set yours.")
    else:
        words = _("%(name)s has set the price to %(price)s since you opened this page. Save again to replace it.")
    price = "" if app.price is None else amount_words(to_hundredths(app.price))
    return words % {"name": name or _("Somebody"), "price": price}


def _wrong_price(request: PortalRequest, app: App, form: PriceForm, sentence: str) -> HttpResponse:
    """Show the page again with the price that was typed for `app`, and say why it wasn't saved."""
    context = {"wrong": app, "price_error": sentence, "typed": form["price"].value()}
    return _page(request, RulesForm(), context, status=422)


@require_POST
@makers_only
def ask_for_more(request: PortalRequest) -> HttpResponse:
    """Tell admins that the member is asking for a higher limit."""
    is_told = alerts.ask_for_more(request.user)
    if wants_fragment(request):
        return HttpResponse(_("Your admins have been told.") if is_told else _nobody_told(request.user))
    if is_told:
        messages.success(request, _("Your admins have been told that you'd like a higher limit."))
    else:
        messages.info(request, _nobody_told(request.user))
    back = HigherLimitForm.read(request.POST)["back"]
    return go_to(request, own_path(back, f"{reverse('runs:me')}#spending"))


def _nobody_told(member: Member) -> str:
    """Return why no admin was told this time that `member` is asking for a higher limit."""
    if allowance_of(member).limit is None:
        return _("You have no monthly limit.")
    return _("You've already asked today.") if alerts.has_asked(member) else _("There's no other admin to ask.")


def _page(
    request: PortalRequest, form: RulesForm, price_context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Show the limits; `price_context` describes a price that couldn't be saved."""
    context = {
        "section": "manage",
        "form": form,
        "people": limit_settings.person_limits(),
        "apps": [(app, limit_settings.price_version(app)) for app in limit_settings.unpriced_apps()],
        **(price_context or {}),
    }
    return render_page(request, "spending/manage_limits.html", context, status=422 if form.errors else status)
