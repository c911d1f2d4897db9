"""Add search text without accents for the library: the names of uploads and the labels of results."""

import unicodedata
from typing import Any

from django.db import migrations, models

BATCH = 1_000
# Letters with a stroke, and ligatures, which Unicode doesn't decompose.
STROKED = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "\x00": " "}
)


def fold(text: str) -> str:
    """Fold `text` as search did when this migration was written. This is a copy of the search function, because the
    original may change."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return bare.casefold().translate(STROKED)


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
