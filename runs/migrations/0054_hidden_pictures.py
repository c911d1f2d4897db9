"""Hide pictures that admins set in hidden fields, including the uploads that runs made from them."""

from typing import Any

from django.db import migrations, models
from django.db.models import F


def hide_pictures(apps: Any, _schema_editor: Any) -> None:
    """Hide uploads that runs made from pictures in hidden fields, and have earlier runs checked for more such
    uploads."""
    links = apps.get_model("runs", "RunInputUpload").objects.all()
    rules = apps.get_model("runs", "FieldRule").objects.filter(mode="hidden")
    uploads = apps.get_model("runs", "Upload").objects.filter(file__in=rules.exclude(file=None).values("file"))
    made = uploads.filter(pk__in=links.filter(input__is_hidden=True).values("upload"), presets=None)
    made.exclude(pk__in=links.filter(input__is_hidden=False).values("upload")).exclude(member__role="admin").update(
        is_hidden=True
    )
    hiding = apps.get_model("runs", "AppRule").objects.filter(app__in=rules.values("app"))
    hiding.update(hiding_due_at=F("changed_at"))


class Migration(migrations.Migration):
    dependencies = (("runs", "0053_streams"),)

    operations = (
        migrations.AddField("apprule", "hiding_due_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("upload", "is_hidden", models.BooleanField(db_default=False, default=False)),
        migrations.RunPython(hide_pictures, migrations.RunPython.noop),
    )
