"""Store which apps' runs a chat channel reports on, and the language of its messages."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("runs", "0040_results_of_notices"),)

    operations = (
        migrations.AddField(
            model_name="chatchannel",
            name="apps",
            field=models.ManyToManyField(related_name="+", to="runs.app"),
        ),
        migrations.AddField(
            model_name="chatchannel",
            name="language",
            field=models.CharField(blank=True, default="", max_length=10),
        ),
    )
