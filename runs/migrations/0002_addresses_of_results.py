"""Give each result its own address, and each run a list of its outputs' kinds; fill both in for existing rows."""

from django.db import migrations, models

import runs.models.ids

BATCH = 1000


def fill_in(apps, schema_editor):
    Output = apps.get_model("runs", "Output")
    Run = apps.get_model("runs", "Run")
    kinds = {}
    batch = []
    for output in Output.objects.only("pk", "run_id", "kind").iterator():
        kinds.setdefault(output.run_id, {})[output.kind] = None
        output.public_id = runs.models.ids.new_public_id()
        batch.append(output)
        if len(batch) == BATCH:
            Output.objects.bulk_update(batch, ["public_id"])
            batch = []
    Output.objects.bulk_update(batch, ["public_id"])
    for run_id, found in kinds.items():
        Run.objects.filter(pk=run_id).update(kinds=f" {' '.join(found)} "[:200])


class Migration(migrations.Migration):
    dependencies = [("runs", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="output",
            name="public_id",
            field=models.CharField(editable=False, max_length=16, null=True),
        ),
        migrations.AddField(
            model_name='run',
            name='kinds',
            field=models.CharField(blank=True, default=' ', max_length=200),
        ),
        migrations.RunPython(fill_in, migrations.RunPython.noop),
    ]
