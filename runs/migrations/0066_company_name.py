"""Add the company's name, for guests' pages."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("runs", "0060_labels_of_results"),)

    operations = (
        migrations.AddField(
            "sharingrules", "company", models.CharField(blank=True, db_default="", default="", max_length=60)
        ),
    )
