"""Store which results of a guest link replaced an earlier version, so that the earlier version's run still lists it."""

from typing import Any

from django.db import migrations, models
from django.db.models import F


def mark(apps: Any, schema_editor: Any) -> None:
    """Mark results that are already there. A link's other results are never from runs that are newer than the link."""
    chosen = apps.get_model("runs", "GuestLinkOutput").objects.filter(output__line__isnull=False)
    replaced = chosen.filter(output__run__created_at__gt=F("link__created_at"))
    chosen.filter(pk__in=list(replaced.values_list("pk", flat=True))).update(is_replacement=True)


class Migration(migrations.Migration):
    dependencies = (("runs", "0084_guest_copy_failures"),)

    operations = (
        migrations.AddField("guestlinkoutput", "is_replacement", models.BooleanField(default=False, db_default=False)),
        migrations.RunPython(mark, migrations.RunPython.noop),
        migrations.AddIndex(
            "guestlinkoutput",
            models.Index(
                fields=["output"], condition=models.Q(is_replacement=True), name="guest_link_output_replaces"
            ),
        ),
    )
