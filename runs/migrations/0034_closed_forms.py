"""Prevent a form that was reset from overwriting the draft, and set aside at most one draft as a preset."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("runs", "0033_find_makers_and_forget_words"),)

    operations = (
        migrations.AddField("draft", "closed_forms", models.TextField(blank=True, default="", db_default="")),
        migrations.AddField("preset", "is_set_aside", models.BooleanField(default=False, db_default=False)),
        migrations.AlterField(
            "member",
            "theme",
            models.CharField(
                blank=True,
                choices=[("", "Same as device"), ("light", "Light"), ("dark", "Dark")],
                default="",
                max_length=5,
            ),
        ),
    )
