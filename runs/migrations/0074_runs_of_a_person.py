"""Find a person's active runs, and those in the bin, by an index. SQLite would otherwise go through all of their
runs."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("runs", "0073_request_window"),)

    operations = (
        migrations.RemoveIndex("run", "run_active"),
        migrations.AddIndex(
            "run",
            models.Index(
                fields=["status", "member", "created_at"],
                condition=models.Q(status__in=("starting", "checking", "queued", "running")),
                name="run_active",
            ),
        ),
        migrations.AddIndex(
            "run",
            models.Index(
                models.F("member"),
                models.F("deleted_at").desc(),
                models.F("id").desc(),
                condition=models.Q(deleted_at__isnull=False),
                name="run_bin_of",
            ),
        ),
    )
