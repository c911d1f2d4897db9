"""What the library finds files by, the names of uploads and the labels of results, loses its accents, as runs' did."""

from typing import Any

from django.db import migrations, models

from runs.words.fold import fold

BATCH = 1_000


def fill(apps: Any, schema_editor: Any) -> None:
    for model, source in (("Upload", "name"), ("Output", "label")):
        rows = apps.get_model("runs", model).objects.exclude(**{source: ""}).order_by("pk")
        last = 0
        while batch := list(rows.filter(pk__gt=last).only("pk", source)[:BATCH]):
            for row in batch:
                row.search_text = fold(getattr(row, source))
            rows.bulk_update(batch, ["search_text"])
            last = batch[-1].pk


class Migration(migrations.Migration):
    dependencies = [("runs", "0014_rung_at")]
    operations = [
        migrations.AddField("output", "search_text", models.TextField(blank=True, default="")),
        migrations.AddField("upload", "search_text", models.TextField(blank=True, default="")),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
