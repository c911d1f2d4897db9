"""Which files a member may see, based on the runs and presets they may see."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from runs.models.app import App
from runs.models.app_rules import FieldRule
from runs.models.file import StoredFile, Upload
from runs.models.joined import is_one_of
from runs.models.member import Member
from runs.models.output import OutputFile
from runs.models.reuse import Preset
from runs.models.run import Run, RunInput, RunQuerySet


def files_visible_to(member: Member) -> "QuerySet[StoredFile]":
    """Return the files the member may see: catalogue pictures, their own uploads, files of runs and presets they may
    see, and files that admins have set in app fields. Only admins may see files from hidden fields."""
    own = Upload.objects.shown_to(member).filter(file=OuterRef("pk"))
    in_presets = Preset.objects.visible_to(member).filter(uploads__file=OuterRef("pk"))
    in_runs = _belongs_to(Run.objects.visible_to(member), member)
    locked = FieldRule.objects.shown_to(member).filter(file=OuterRef("pk"), app__in=App.objects.open_to(member))
    return StoredFile.objects.filter(Q(is_catalog=True) | in_runs | Exists(own) | Exists(in_presets) | Exists(locked))


def files_with_small_picture_for(member: Member) -> "QuerySet[StoredFile]":
    """Return files whose smallest thumbnail the member may see, including files of runs in the bin, so that people can
    tell these runs apart."""
    return files_visible_to(member) | StoredFile.objects.filter(_belongs_to(Run.objects.in_bin_of(member), member))


def _belongs_to(runs: RunQuerySet, member: Member) -> Q:
    """Return a condition for files that are results of `runs`, or inputs that `member` may see."""
    results = OutputFile.objects.filter(is_one_of(runs, "output__run"), file=OuterRef("pk"))
    inputs = RunInput.objects.shown_to(member).filter(is_one_of(runs, "run"))
    return Q(Exists(results)) | Q(Exists(inputs.filter(uploads__file=OuterRef("pk"))))
