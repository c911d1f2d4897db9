"""What the list of files in a guest's zip says besides the files: maker, cost and decision, all off."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("runs", "0081_guests_required"),)

    operations = (
        migrations.AddField("guestlink", "lists_maker", models.BooleanField(default=False, db_default=False)),
        migrations.AddField("guestlink", "lists_cost", models.BooleanField(default=False, db_default=False)),
        migrations.AddField("guestlink", "lists_decision", models.BooleanField(default=False, db_default=False)),
    )
