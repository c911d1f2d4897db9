"""Find a person's active runs by an index, which SQLite would otherwise not do for somebody with many runs."""

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
    )
