"""Give people random public ids for URLs, and use these instead of numbers in saved views."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.db import migrations, models

import runs.models.ids


def fill_in(apps: Any, schema_editor: Any) -> None:
    member_model, view_model = apps.get_model("runs", "Member"), apps.get_model("runs", "SavedView")
    ids: dict[str, str] = {}
    for pk in list(member_model.objects.filter(public_id=None).values_list("pk", flat=True)):
        ids[str(pk)] = runs.models.ids.new_public_id()
        member_model.objects.filter(pk=pk).update(public_id=ids[str(pk)])
    for view in view_model.objects.filter(query__contains="by="):
        given = parse_qsl(view.query)
        told = [(name, ids.get(value, value) if name == "by" else value) for name, value in given]
        if told != given:
            view_model.objects.filter(pk=view.pk).update(query=urlencode(told))


class Migration(migrations.Migration):
    dependencies = [("runs", "0006_work_seconds")]
    operations = [
        migrations.AddField("member", "public_id", models.CharField(editable=False, max_length=16, null=True)),
        migrations.RunPython(fill_in, migrations.RunPython.noop),
    ]
