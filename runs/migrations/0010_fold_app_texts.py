"""What apps are found by loses its accents, as what runs are found by did."""

import unicodedata
from typing import Any

from django.db import migrations

# Letters with a stroke and ligatures, which Unicode does not take apart.
STROKED = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "\x00": " "}
)


def fold(text: str) -> str:
    """`text` as search compared it when this migration was written: a copy, since the portal's own may change."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return bare.casefold().translate(STROKED)


def fill(apps: Any, schema_editor: Any) -> None:
    for app in apps.get_model("runs", "App").objects.only("pk", "search_text"):
        app.search_text = fold(app.search_text)
        app.save(update_fields=["search_text"])


class Migration(migrations.Migration):
    dependencies = [("runs", "0009_clock_steady_since")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
