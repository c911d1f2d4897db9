"""Tell admins when the sample of a picture field changes."""

from django.db import migrations, models

KINDS = [
    ("added", "New field"),
    ("gone", "Field is gone"),
    ("renamed", "Field has a new name"),
    ("retyped", "Field has another type"),
    ("needed", "Field has no default any more"),
    ("options_added", "New options"),
    ("options_gone", "Options are gone"),
    ("sample", "Field has another sample"),
]


class Migration(migrations.Migration):
    dependencies = (("runs", "0054_hidden_pictures"),)

    operations = (migrations.AlterField("appchange", "kind", models.CharField(choices=KINDS, max_length=13)),)
