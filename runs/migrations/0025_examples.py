"""Mark the examples that a new sandbox portal contains for newcomers to look at."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0024_messages_by_code"),
    ]

    operations = [
        migrations.AddField(
            model_name="guestlink",
            name="is_example",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="preset",
            name="is_example",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="run",
            name="is_example",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(models.F("created_at"), condition=models.Q(("is_example", True)), name="run_examples"),
        ),
    ]
