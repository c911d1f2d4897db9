from django.db import migrations, models

import runs.models.ids


class Migration(migrations.Migration):
    dependencies = [("runs", "0007_addresses_of_people")]
    operations = [
        migrations.AlterField(
            "member",
            "public_id",
            models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
        ),
    ]
