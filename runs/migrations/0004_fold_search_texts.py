"""Remove accents from runs' search text, and store the kinds of outputs with every run."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import migrations

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


def kinds_text(kinds: Iterable[str]) -> str:
    """Return `Run.kinds` in the format used at the time: " image video "."""
    told = sorted({kind.strip() for kind in kinds} - {""})
    return f" {' '.join(told)} "[:200] if told else " "


def fill(apps: Any, schema_editor: Any) -> None:
    run_model, output_model = apps.get_model("runs", "Run"), apps.get_model("runs", "Output")
    last = 0
    while runs := list(run_model.objects.filter(pk__gt=last).order_by("pk").only("pk", "search_text", "kinds")[:BATCH]):
        kinds = defaultdict(set)
        for run_id, kind in output_model.objects.filter(run__in=runs).values_list("run_id", "kind"):
            kinds[run_id].add(kind)
        for run in runs:
            run.search_text = fold(run.search_text)
            run.kinds = kinds_text(kinds[run.pk])
        run_model.objects.bulk_update(runs, ["search_text", "kinds"])
        last = runs[-1].pk


class Migration(migrations.Migration):
    dependencies = [("runs", "0003_sharing_and_keeping")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
