"""What apps are found by loses its accents, as what runs are found by did."""

import unicodedata
from typing import Any

from django.db import migrations

from runs.words.fold import fold


def fill(apps: Any, schema_editor: Any) -> None:
    for app in apps.get_model("runs", "App").objects.only("pk", "search_text"):
        app.search_text = fold(app.search_text)
        app.save(update_fields=["search_text"])


class Migration(migrations.Migration):
    dependencies = [("runs", "0009_clock_steady_since")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
