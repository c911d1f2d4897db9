"""Saved views: History filters that a member keeps under a name."""

from django.db import transaction
from django.utils.translation import gettext as _

from runs.audit.record import record
from runs.history.filters import Filter
from runs.models import Member, SavedView, Verb
from runs.words.errors import UserFacingError

VIEWS_PER_MEMBER = 50
NAME_LENGTH = 60


class ViewRefusedError(UserFacingError):
    """The view can't be saved under this name."""


@transaction.atomic
def save_view(member: Member, name: str, query: str) -> SavedView:
    """Save a filter as the view `name`, replacing any view with that name. Raises `ViewRefusedError` if `name` is empty
    or the member can't save any more views."""
    if not name:
        raise ViewRefusedError(_("Give the view a name."))
    views = SavedView.objects.owned_by(member)
    if views.count() >= VIEWS_PER_MEMBER and not views.filter(name=name).exists():
        words = _("You already have %(most)s views, which is the limit. Delete one, then try again.")
        raise ViewRefusedError(words % {"most": VIEWS_PER_MEMBER})
    view, _is_new = views.update_or_create(member=member, name=name, defaults={"query": Filter.parse(query).query})
    record(Verb.VIEW_SAVED, view)
    return view


@transaction.atomic
def rename_view(view: SavedView, name: str) -> None:
    """Rename `view`. Raises `ViewRefusedError` if `name` is empty or another view already has that name."""
    if not name or SavedView.objects.filter(member=view.member_id, name=name).exclude(pk=view.pk).exists():
        raise ViewRefusedError(_("Enter a name that you haven't used for another view."))
    record(Verb.VIEW_CHANGED, view, changes={"name": (view.name, name)})
    view.name = name
    view.save(update_fields=["name"])


@transaction.atomic
def delete_view(view: SavedView) -> None:
    """Delete `view`, but not its runs."""
    record(Verb.VIEW_REMOVED, view)
    view.delete()
