"""Drafts of app forms: everything a person has typed, saved on the server until they press Run."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from runs.models import App, Draft, Member, form_hash

RETENTION = timedelta(days=90)  # how long a draft is kept after its last change
DROPPED_KEPT = timedelta(days=1)
CLOSED_FORMS = 20  # how many closed forms a draft remembers


def lock(member: Member) -> None:
    """Make other requests that change the member's drafts wait until this transaction ends."""
    Member.objects.select_for_update(no_key=True).only("pk").get(pk=member.pk)


@transaction.atomic
def save_draft(draft: Draft) -> None:
    """Save `draft`, valid or not, whatever the member's draft of the app contained before."""
    lock(draft.member)
    draft.updated_at = timezone.now()
    Draft.objects.bulk_create(
        [draft],
        update_conflicts=True,
        unique_fields=["member", "app", "is_dropped"],
        update_fields=["answers", "wanted_outputs", "source", "form", "updated_at"],
    )


def current_draft(member: Member, app: App) -> Draft | None:
    """Return the draft that `member` has for `app`, or None."""
    return Draft.objects.current().filter(member=member, app=app).first()


def is_newer(draft: Draft, new: Draft, stamp: str) -> bool:
    """Return whether saving `new` would overwrite something that its form has never shown: another form has saved
    `draft` since this form was opened, when the draft's stamp was `stamp`."""
    is_known = draft.form == new.form or draft.stamp == stamp
    is_same = (draft.answers, draft.wanted_outputs) == (new.answers, new.wanted_outputs)
    return draft.is_begun and not is_known and not is_same


def clear_draft(member: Member, app: App, form_token: str) -> None:
    """Delete the draft if the form with `form_token` saved it last, so that the app's form opens empty."""
    Draft.objects.current().filter(member=member, app=app, form=form_hash(form_token)).exclude(form="").delete()


@transaction.atomic
def drop_draft(member: Member, app: App, now: datetime, form_token: str = "") -> bool:
    """Discard the draft, so that the form opens empty; return whether there is anything to restore, even if the same
    form has already been used to discard it.

    After this, the form with `form_token` can no longer save the draft.
    """
    lock(member)
    draft = Draft.objects.current().filter(member=member, app=app).first()
    if draft is None:
        return is_closed(member, app, form_token) and dropped_draft(member, app.public_id) is not None
    closed = closed_forms(member, app, form_token)
    Draft.objects.dropped().filter(member=member, app=app).delete()
    Draft.objects.filter(pk=draft.pk).update(is_dropped=True, updated_at=now, closed_forms=closed)
    return draft.is_begun


def is_closed(member: Member, app: App, form_token: str) -> bool:
    """Return whether the form with `form_token` has discarded or restored the draft. A late autosave of that form
    mustn't bring back the old values."""
    return form_hash(form_token) in _closed_forms(member, app)


def closed_forms(member: Member, app: App, form_token: str) -> str:
    """Return a new value for `Draft.closed_forms` that includes the form with `form_token`."""
    forms = [form_hash(form_token)] if form_token else []
    return " ".join([*_closed_forms(member, app), *forms][-CLOSED_FORMS:])


def _closed_forms(member: Member, app: App) -> list[str]:
    forms = Draft.objects.filter(member=member, app=app).order_by("updated_at").values_list("closed_forms", flat=True)
    return list(dict.fromkeys(" ".join(forms).split()))


def dropped_draft(member: Member, app_id: str) -> Draft | None:
    """Return the member's discarded draft for the app with the public id `app_id`, with the app loaded."""
    draft = Draft.objects.dropped().filter(member=member, app__public_id=app_id).select_related("app").first()
    return draft if draft is not None and draft.is_begun else None


def tidy(now: datetime) -> None:
    """Delete drafts that haven't changed for 90 days, and those discarded over a day ago."""
    Draft.objects.filter(updated_at__lt=now - RETENTION).delete()
    Draft.objects.dropped().filter(updated_at__lt=now - DROPPED_KEPT).delete()
