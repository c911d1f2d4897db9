"""Add the company's logo, for guests' pages."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("runs", "0068_upload_used_at"),)

    operations = (
        migrations.AddField(
            "sharingrules",
            "logo",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="runs.storedfile",
            ),
        ),
    )
