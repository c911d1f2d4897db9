"""Store more percentiles of apps' run times, so that pages can poll more often when a run is likely to end."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("runs", "0056_transfers_in_slices"),)

    operations = tuple(
        migrations.AddField("app", name, models.FloatField(blank=True, null=True))
        for name in ("quick_seconds", "late_seconds")
    )
