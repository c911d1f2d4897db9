"""Remove accents from apps' search text, as an earlier migration did for runs."""

import unicodedata
from typing import Any

from django.db import migrations

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
    for app in apps.get_model("runs", "App").objects.only("pk", "search_text"):
        app.search_text = fold(app.search_text)
        app.save(update_fields=["search_text"])


class Migration(migrations.Migration):
    dependencies = [("runs", "0009_clock_steady_since")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
