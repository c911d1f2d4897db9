"""Remove what only served data from before the first release: guests known by their name alone, and reindexing."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = (("runs", "0089_descriptions"),)

    operations = (
        migrations.RemoveConstraint("guest", "guest_by_name"),
        migrations.RemoveField("guest", "is_known_by_name"),
        migrations.DeleteModel("IndexState"),
    )
