"""The admin pages, in groups, for the menu beside them."""

from typing import NamedTuple

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

register = template.Library()


class Link(NamedTuple):
    """A page in the menu. `is_current` says that this page, or one below it, is being shown."""

    url: str
    label: str
    is_current: bool


@register.simple_tag
def manage_groups(path: str) -> list[tuple[str, list[Link]]]:
    """Return each group's name ("" for a single page) and its pages, for the page whose URL has this `path`."""
    groups = [
        ("", {"manage-people": _("People")}),
        ("", {"manage-apps": _("Apps")}),
        (_("Money"), {"manage-spending": _("Spending"), "manage-limits": _("Limits and prices")}),
        (
            _("Rules"),
            {
                "manage-sharing": _("Sharing"),
                "manage-review": pgettext("noun", "Review"),
                "manage-notices": _("Notices"),
                "manage-retention": _("Retention"),
            },
        ),
        (_("System"), {"manage": _("Health"), "manage-storage": _("Storage"), "manage-log": _("Record")}),
    ]
    urls = {page: reverse(f"runs:{page}") for _name, pages in groups for page in pages}
    current = max((url for url in urls.values() if path.startswith(url)), key=len, default="")
    return [
        (name, [Link(urls[page], label, urls[page] == current) for page, label in pages.items()])
        for name, pages in groups
    ]
