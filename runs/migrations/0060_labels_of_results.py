"""An index of the labels of results, so that search in a field's library finds the few there are among all results."""

from django.db import migrations, models
from django.db.models.functions import Substr


class Migration(migrations.Migration):
    dependencies = (("runs", "0059_rare_facets"),)

    operations = (
        migrations.AddIndex("output", models.Index(Substr("search_text", 1, 80), name="output_label")),
    )
