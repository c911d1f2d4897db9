"""Name a status after what it means: nobody cancels a result. The database doesn't change."""

from django.db import migrations, models

STATUSES = (("pending", "Waiting"), ("completed", "Ready"), ("error", "Failed"), ("cancelled", "Not made"))


class Migration(migrations.Migration):
    dependencies = (("runs", "0074_runs_of_a_person"),)

    operations = (
        migrations.AlterField(
            "output", "status", models.CharField(choices=[*STATUSES], default="pending", max_length=9)
        ),
    )
