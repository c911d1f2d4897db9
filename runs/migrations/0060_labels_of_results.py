"""Add an index of result labels, so that search in a field's library can find the few distinct labels quickly."""

from django.db import migrations, models
from django.db.models.functions import Substr


class Migration(migrations.Migration):
    dependencies = (("runs", "0059_rare_facets"),)

    operations = (
        migrations.AddIndex("output", models.Index(Substr("search_text", 1, 80), name="output_label")),
    )
