"""A draft that was dropped stays next to the form's new draft, so that it can be brought back."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("runs", "0030_selections"),)

    operations = (
        migrations.RemoveConstraint("draft", "draft_unique"),
        migrations.AddField("draft", "is_dropped", models.BooleanField(default=False, db_default=False)),
        migrations.AddConstraint(
            "draft", models.UniqueConstraint(fields=["member", "app", "is_dropped"], name="draft_unique")
        ),
        migrations.AddField("app", "unknown_fields", models.JSONField(default=list)),
    )
