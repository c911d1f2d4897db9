"""Let each file of a list be a result of its own. Existing results keep all their files."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("runs", "0086_forms_of_drafts"),)

    operations = (
        migrations.AddField("output", "list_number", models.PositiveIntegerField(db_default=1, default=1)),
        migrations.RemoveConstraint("output", "output_remote_id_unique"),
        migrations.AddConstraint(
            "output",
            models.UniqueConstraint(
                fields=["run", "remote_id", "list_number"],
                condition=~models.Q(remote_id=""),
                name="output_remote_id_unique",
            ),
        ),
    )
