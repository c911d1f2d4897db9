"""Let members describe a result for those who can't see or hear it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runs", "0088_member_seen_at")]

    operations = [
        migrations.AddField(
            model_name="output",
            name="description",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
    ]
