"""Rename a model to the common term. Its table keeps its name, so the database doesn't change."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = (("runs", "0072_copy_sounds_again"),)

    operations = (
        migrations.AlterModelTable("RequestLog", "runs_requestlog"),
        migrations.RenameModel("RequestLog", "RequestWindow"),
    )
