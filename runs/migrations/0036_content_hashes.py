"""Store a content hash for each existing result, and mark all results as not yet reviewed.

The functions are copies of those that store the hashes of new results.
"""

import hashlib

from django.db import migrations

BATCH = 1000


def content_hash(text, files):
    """Return the hash of a result with this text and these files (status, SHA-256), in order; "" if a file is
    missing."""
    if not files:
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    if any(status != "saved" for status, _ in files):
        return ""
    return hashlib.sha256("\n".join(sha256 for _, sha256 in files).encode()).hexdigest()


def files_of(apps, ids):
    found = {}
    files = apps.get_model("runs", "OutputFile").objects.filter(output__in=ids).order_by("output", "position")
    for output, status, sha256 in files.values_list("output_id", "status", "file__sha256"):
        found.setdefault(output, []).append((status, sha256))
    return found


def fill(apps, schema_editor):
    done, last = apps.get_model("runs", "Output").objects.filter(status="completed").order_by("pk"), 0
    while batch := list(done.filter(pk__gt=last).values_list("pk", "text", "run_id")[:BATCH]):
        files = files_of(apps, [pk for pk, _, _ in batch])
        rows = [(content_hash(text, files.get(pk)), pk) for pk, text, _ in batch]
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany("UPDATE runs_output SET content_hash = %s WHERE id = %s", rows)
        runs = apps.get_model("runs", "Run").objects.filter(pk__in={run for _, _, run in batch})
        runs.filter(verdicts=" ").update(verdicts=" none ")
        last = batch[-1][0]


class Migration(migrations.Migration):
    dependencies = [("runs", "0035_review")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
