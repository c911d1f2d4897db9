"""Add Lamina's search results, and stars for apps."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runs", "0016_apps_never_proved_gone")]

    operations = [
        migrations.CreateModel(
            name="AppSearch",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("words", models.CharField(max_length=200)),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("pictured_at", models.DateTimeField(blank=True, null=True)),
                ("finds", models.JSONField(default=list)),
                ("problem", models.CharField(blank=True, default="", max_length=20)),
                ("retry_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={"verbose_name_plural": "app searches"},
        ),
        migrations.AddField("app", "starred_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "app",
            "starred_by",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="starred_apps",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
