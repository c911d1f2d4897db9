"""What the bar on each page shows about the person reading it, rendered once per kind of bar and then filled in
(`web/stencils.py`)."""

from dataclasses import dataclass

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from runs.display.bell import Bell
from runs.models import Member
from runs.web.http import Portal
from runs.web.stencils import Blanks, filled

register = template.Library()


@dataclass(frozen=True)
class QuietBell:
    """A bell with nothing new to announce, for `live/_bell.html`."""

    is_watching: bool
    token = Blanks().token
    count = ""
    lines = ()

    @property
    def words(self) -> str:
        return Bell().words


@dataclass(frozen=True)
class BarKind:
    """What the bar's template depends on. `bell` is None if the bell has something to announce; that bell is rendered
    separately."""

    bell: QuietBell | None
    spending_url: str  # what the balance links to; "" for viewers


@dataclass(frozen=True)
class MenuKind:
    section: str
    is_admin: bool
    spending_url: str
    balance_words: SafeString | None  # a blank for `web/_balance_left.html`; None if the balance is unknown


@register.simple_tag(takes_context=True)
def bar_end(context: Context) -> SafeString:
    """Render the balance, the bell and the button that opens the member's menu."""
    bell, member, portal = _parts(context)
    values = {
        "balance": portal.balance_words,
        "own_limit": str(context.get("own_limit", "")),
        "name": member.display_name,
        "initials": member.initials,
        "token": bell.token,
    }
    if bell.lines:
        values["bell"] = render_to_string(
            "live/_bell.html", {"bell": bell, "user": member, "csrf_token": context.get("csrf_token")}
        )
    kind = BarKind(None if bell.lines else QuietBell(bell.is_watching), _spending_url(member))
    return filled("web/_bar_end.html", kind, values)


@register.simple_tag(takes_context=True)
def person_menu(context: Context) -> SafeString:
    """Render the menu of the signed-in member."""
    _bell, member, portal = _parts(context)
    balance = Blanks().balance if portal.balance_words else None
    values = {
        "balance": portal.balance_words,
        "own_limit": str(context.get("own_limit", "")),
        "name": member.display_name,
        "email": member.email,
        "csrf_token": str(context.get("csrf_token") or ""),
    }
    kind = MenuKind(str(context.get("section", "")), member.is_admin, _spending_url(member), balance)
    return filled("web/_person_menu.html", kind, values)


def _spending_url(member: Member) -> str:
    """Return the URL of the page that shows `member` what runs cost: everyone's runs for admins, just their own for
    makers and approvers; "" for viewers."""
    if member.is_admin:
        return reverse("runs:manage-spending")
    return f"{reverse('runs:me')}#spending" if member.can_run else ""


def _parts(context: Context) -> tuple[Bell, Member, Portal]:
    return context["bell"], context["user"], context["portal"]
