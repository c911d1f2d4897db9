"""Tell admins when the sample of a picture field changes."""

from django.db import migrations, models

KINDS = [
    ("added", "New field"),
    ("gone", "Field removed"),
    ("renamed", "Field renamed"),
    ("retyped", "Field type changed"),
    ("needed", "Default removed"),
    ("options_added", "New options"),
    ("options_gone", "Options removed"),
    ("sample", "Sample changed"),
]


class Migration(migrations.Migration):
    dependencies = (("runs", "0054_hidden_pictures"),)

    operations = (migrations.AlterField("appchange", "kind", models.CharField(choices=KINDS, max_length=13)),)
