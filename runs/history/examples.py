"""Removes the examples of a new sandbox portal (`management.examples`) and restores them on request.

Example runs go to the bin. There is no bin for guest links and presets, so their rows are returned to the caller, which
keeps them in the admin's session for Undo. Anything that people created or changed themselves stays, as do example runs
that somebody has added to a guest link of their own.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime

from django.core import serializers
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils.dateparse import parse_datetime

from runs.audit.record import record
from runs.history import bin
from runs.models import (
    FINAL,
    Comment,
    Decision,
    Guest,
    GuestLink,
    GuestLinkOutput,
    Member,
    Output,
    Preset,
    ReviewItem,
    ReviewRequest,
    Run,
    Verb,
)
from runs.sharing import guest_copies
from runs.web.http import PortalRequest

OF_RESULTS = (GuestLinkOutput, ReviewItem, Decision, Comment)
UNDO = "undo_examples"  # session key for the removed examples
IS_TOLD = "told_examples"  # session key, set once Home has offered Undo; later offers don't take the focus


@dataclass(frozen=True)
class PutAway:
    """The removed examples: the public ids of their runs, and the other rows (links, presets and so on) as JSON.

    `of_presets` pairs runs with the preset they were started from, because deleting the preset clears that reference.
    Examples that were still in progress at the time `at` are moved to the bin later, with `deleted_by` set to None.
    """

    runs: list[str]
    rows: str
    of_presets: list[tuple[int, int]] = field(default_factory=list)  # primary keys
    at: str = ""


def examples() -> "models.QuerySet[Run]":
    """Return the finished example runs that aren't in the bin."""
    return Run.objects.filter(is_example=True, deleted_at=None, status__in=FINAL)


def unclaimed() -> "models.QuerySet[Run]":
    """Return the examples that nobody has added to a guest link of their own."""
    own_links = GuestLinkOutput.objects.filter(link__in=GuestLink.objects.alive().filter(is_example=False))
    return examples().exclude(pk__in=own_links.values("output__run"))


@transaction.atomic
def put_away(member: Member, now: datetime) -> PutAway:
    """Move the example runs to the bin, and remove their guest links (with guests' answers and comments), requests and
    presets."""
    ids = list(unclaimed().values_list("public_id", flat=True))
    bin.move_to_bin(Run.objects.filter(public_id__in=ids), member, now)
    links, presets = GuestLink.objects.filter(is_example=True), Preset.objects.filter(is_example=True)
    link_outputs = GuestLinkOutput.objects.filter(link__in=links)
    started = list(Run.objects.filter(preset__in=presets).values_list("pk", "preset"))
    requests = ReviewRequest.objects.filter(is_example=True)
    items = ReviewItem.objects.filter(request__in=requests)
    answers = [model._default_manager.filter(link__in=links) for model in (Decision, Comment)]
    guests = Guest.objects.filter(link__in=links)
    rows = [*links, *link_outputs, *guests, *presets, *requests, *items, *answers[0], *answers[1]]
    removal = PutAway(ids, serializers.serialize("json", rows), started, now.isoformat())
    for removed in (*answers, requests, links, presets):
        removed.delete()
    if ids or rows:
        record(Verb.EXAMPLES_REMOVED, None)
    return removal


@transaction.atomic
def bring_back(removal: PutAway) -> None:
    """Restore the examples that `put_away` removed, unless something else has taken their place."""
    bin.bring_back(Run.objects.filter(_was_put_away(removal), is_example=True))
    for row in serializers.deserialize("json", removal.rows):
        output_id = row.object.output_id if isinstance(row.object, OF_RESULTS) else None
        if output_id is not None and not Output.objects.filter(pk=output_id).exists():
            continue  # the result was permanently deleted
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            continue  # already restored, or the preset's name has been reused
    for preset in Preset.objects.filter(pk__in={preset for _run, preset in removal.of_presets}):
        runs = [run for run, its_preset in removal.of_presets if its_preset == preset.pk]
        Run.objects.filter(pk__in=runs, preset=None).update(preset=preset)
    guest_copies.request_copies_for(GuestLink.objects.filter(is_example=True))
    record(Verb.EXAMPLES_RESTORED, None)


def _was_put_away(removal: PutAway) -> Q:
    """Return a condition for the examples that `put_away` moved to the bin, and for examples that were moved later
    because they were still in progress."""
    moved = Q(public_id__in=removal.runs)
    at = parse_datetime(removal.at)
    return moved | Q(deleted_by=None, deleted_at__gte=at) if at else moved


def keep_for_undo(request: PortalRequest, removal: PutAway) -> None:
    """Remember what was removed until Undo is pressed or dismissed or the session ends, which is before the bin is
    emptied."""
    if UNDO in request.session:
        removal = _both(PutAway(**request.session[UNDO]), removal)
    request.session[UNDO] = asdict(removal)
    request.session.pop(IS_TOLD, None)


def _both(first: PutAway, then: PutAway) -> PutAway:
    """Combine what was removed by pressing the button twice. People may have restored the runs from the bin in
    between."""
    rows = json.dumps([*json.loads(first.rows), *json.loads(then.rows)])
    return PutAway([*first.runs, *then.runs], rows, [*first.of_presets, *then.of_presets], first.at)


def take_kept(request: PortalRequest) -> PutAway | None:
    """Return the examples removed in this session and forget them, so that Undo works only once."""
    stored = request.session.pop(UNDO, None)
    return PutAway(**stored) if stored else None


def offers_undo(request: PortalRequest) -> bool:
    """Return whether Home should offer Undo."""
    return UNDO in request.session


def is_first_offer(request: PortalRequest) -> bool:
    """Return whether Home hasn't offered Undo yet; prefetching the page doesn't count."""
    if UNDO not in request.session or IS_TOLD in request.session:
        return False
    if "Sec-Purpose" not in request.headers:
        request.session[IS_TOLD] = True
    return True
