"""Find the apps with a star by an index, for Home."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("runs", "0075_results_not_made"),)

    operations = (
        migrations.AddIndex(
            "app",
            models.Index(
                models.F("starred_at").desc(), condition=models.Q(starred_at__isnull=False), name="app_starred"
            ),
        ),
    )
