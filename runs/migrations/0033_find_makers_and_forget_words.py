"""Index transferred runs by maker, and let known words be deleted without reading all trigrams."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("runs", "0032_fill_search_words")]
    operations = [
        migrations.AlterField(
            model_name="wordtrigram",
            name="word",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="trigrams",
                to="runs.knownword",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["made_by"], condition=~Q(made_by=F("member")), name="run_made_for"),
        ),
    ]
