"""Store how many results a notice is about, and create notices for finished runs that their owners haven't seen."""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Count, Q

from runs.models.ids import new_public_id

AT_ONCE = 1_000


def make_notices(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Create a notice for each run that is news, and store how many notices are unread. Running this again creates no
    duplicates."""
    Run, Notice, Member = (apps.get_model("runs", name) for name in ("Run", "Notice", "Member"))
    news = Run.objects.filter(is_news=True, finished_at__isnull=False).order_by("pk")
    made: list[Any] = []
    for run in news.only("pk", "member_id", "status", "finished_at").iterator(AT_ONCE):
        kind = "ready" if run.status == "completed" else "failed"
        ended = Notice(member_id=run.member_id, kind=kind, event=f"run-{run.pk}-ended", run_id=run.pk)
        ended.public_id, ended.created_at = new_public_id(), run.finished_at
        made.append(ended)
    Notice.objects.bulk_create(made, batch_size=AT_ONCE, ignore_conflicts=True)
    unread = Count("notices", filter=Q(notices__read_at=None, notices__is_undone=False))
    for member in Member.objects.annotate(counted=unread).filter(counted__gt=0):
        Member.objects.filter(pk=member.pk).update(unread=min(member.counted, 100))


class Migration(migrations.Migration):
    dependencies = (("runs", "0039_notices"),)

    operations = (
        migrations.AddField(
            model_name="notice",
            name="results",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.RunPython(make_notices, migrations.RunPython.noop),
    )
