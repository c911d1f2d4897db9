"""Keep selections apart by browser. Those made before stay with the sessions that were open then."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("runs", "0082_guest_sheet"),)

    operations = (
        migrations.AddField(
            "selection", "browser", models.CharField(blank=True, db_default="", default="", max_length=16)
        ),
        migrations.RemoveConstraint("selection", "selection_open_unique"),
        migrations.AddConstraint(
            "selection",
            models.UniqueConstraint(
                fields=["member", "browser", "place"],
                condition=models.Q(cleared_at=None),
                name="selection_open_unique",
            ),
        ),
    )
