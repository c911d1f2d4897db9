"""Count the attempts at a guest's copy that failed because of the file."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("runs", "0083_selections_of_browsers"),)

    operations = (
        migrations.AddField("guestcopy", "failures", models.PositiveSmallIntegerField(db_default=0, default=0)),
    )
