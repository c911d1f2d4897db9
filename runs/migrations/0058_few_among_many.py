"""Add indexes for the few files among millions that are pictures of apps, or results that could not be saved."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = (("runs", "0057_usual_ends"),)

    operations = (
        migrations.AddIndex(
            "storedfile",
            models.Index(fields=["created_at"], condition=Q(is_catalog=True), name="file_of_catalogue"),
        ),
        migrations.AddIndex(
            "outputfile",
            models.Index(fields=["created_at"], condition=Q(status="failed"), name="output_file_failed"),
        ),
    )
