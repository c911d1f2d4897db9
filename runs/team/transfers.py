"""When someone has left, transfer everything they own to another member.

Presets, links and the first runs change owners right away. If there are many runs, a worker transfers the rest, so that
neither this page nor other people's requests are held up. `Member.gives_to` stays set until all runs have been
transferred. For each run, the record names the admin who asked for the transfer.
"""

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from runs.audit.actors import Actor, current_actor
from runs.audit.record import record, record_each
from runs.background.due_work import DueWork, Slot, wake
from runs.models import Entry, GuestLink, Member, Preset, Run, Upload, Verb
from runs.models.run import RunInputUpload
from runs.team.members import RefusedError, left_by

SLICE = 1_000  # how many runs to transfer in one transaction


@transaction.atomic
def transfer(leaver: Member, to: Member) -> bool:
    """Transfer everything `leaver` owns to `to`, including files used as inputs; return whether a worker still has to
    transfer some of the runs.

    The runs and links still name their original maker (`made_by`). Raises `RefusedError`.
    """
    if leaver.is_active:
        raise RefusedError(_("%(name)s is still active. Deactivate them first.") % {"name": leaver.display_name})
    left = left_by(leaver)
    Upload.objects.filter(presets__member=leaver, member=leaver).update(member=to)
    GuestLink.objects.filter(member=leaver, made_by=None).update(made_by=leaver)
    GuestLink.objects.filter(member=leaver).update(member=to)
    for preset in Preset.objects.filter(member=leaver).select_related("app"):
        preset.name = _free_name(preset, to, leaver.display_name)
        preset.member = to
        preset.save(update_fields=["name", "member"])
    counts = {"runs": left.runs, "presets": left.presets, "links": left.links}
    moved = {name: (count, 0) for name, count in counts.items() if count}
    record(Verb.PERSON_TRANSFERRED, leaver, changes={"owner": (leaver, to), **moved})
    has_rest = _give_some(leaver, to, current_actor()) == SLICE
    Member.objects.filter(pk=leaver.pk).update(gives_to=to if has_rest else None)
    if has_rest:
        wake(TRANSFERS.task)
    return has_rest


def _next_leaver() -> int | None:
    """Return the primary key of someone whose transfer isn't complete."""
    return Member.objects.filter(gives_to__isnull=False).values_list("pk", flat=True).first()


@transaction.atomic
def _transfer_some(leaver_id: int, _slot: Slot) -> None:
    """Transfer another batch of runs."""
    leaver = Member.objects.select_for_update(of=("self",)).select_related("gives_to").get(pk=leaver_id)
    if leaver.gives_to is None:  # the person was reactivated
        return
    if _give_some(leaver, leaver.gives_to, _who_asked(leaver)) < SLICE:
        Member.objects.filter(pk=leaver_id).update(gives_to=None)


def _give_some(leaver: Member, to: Member, who: Actor) -> int:
    """Transfer the oldest runs of `leaver` to `to`, along with the files they used; return how many runs were
    transferred."""
    runs = list(Run.objects.filter(member=leaver).order_by("pk").only("public_id", "title", "app_name")[:SLICE])
    pks = [run.pk for run in runs]
    used = RunInputUpload.objects.filter(input__run__in=pks).values("upload")
    Upload.objects.filter(pk__in=used, member=leaver).update(member=to)
    if runs:
        record_each(Verb.RUN_TRANSFERRED, runs, changes={"owner": (leaver, to)}, actor=who)
    Run.objects.filter(pk__in=pks, member=leaver).update(member=to, version=F("version") + 1)
    return len(runs)


def _who_asked(leaver: Member) -> Actor:
    """Return the admin who asked for the transfer, according to the record."""
    about = Q(verb=Verb.PERSON_TRANSFERRED, object_kind="person", object_id=leaver.public_id)
    entry = Entry.objects.filter(about).order_by("-at", "-pk").first()
    if entry is None:
        return current_actor()
    return Actor(entry.way, entry.actor_id, entry.actor_name, entry.request_id)


def _free_name(preset: Preset, to: Member, whose: str) -> str:
    """Return the name of `preset`; add the previous owner's name if `to` already has a preset with that name."""
    names = set(Preset.objects.filter(app=preset.app, member=to).values_list("name", flat=True))
    name, number = preset.name, 1
    while name in names:
        ending = f" ({whose[:30]})" if number == 1 else f" ({whose[:30]} {number})"
        name = preset.name[: 100 - len(ending)] + ending
        number += 1
    return name


TRANSFERS = DueWork("transfer_runs", lambda: _next_leaver() is not None, _next_leaver, _transfer_some)
