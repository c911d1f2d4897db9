"""Keep a discarded draft alongside the form's new draft, so that it can be restored."""

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
