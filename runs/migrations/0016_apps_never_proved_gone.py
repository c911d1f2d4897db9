"""Bring back apps that were marked as gone only because they were missing from lists; they will be requested by id
again."""

from typing import Any

from django.db import migrations, models

MISSED_LISTS = 2  # an app missing from this many lists was marked as gone; a response for its id never reset the count


def bring_back(apps: Any, _: Any) -> None:
    marked_by_lists = apps.get_model("runs", "App").objects.filter(missed_lists__gte=MISSED_LISTS)
    marked_by_lists.update(gone_at=None, schema_fetched_at=None, schema_asked_at=None)


class Migration(migrations.Migration):
    dependencies = [("runs", "0015_fold_names_and_labels")]

    operations = [
        migrations.RunPython(bring_back, migrations.RunPython.noop),
        migrations.RemoveIndex(model_name="app", name="app_listed"),
        migrations.AddField("app", "forbidden_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("app", "form_problem", models.CharField(blank=True, default="", max_length=200)),
        migrations.AddField("app", "is_listed", models.BooleanField(default=True)),
        migrations.AddField("laminastatus", "app_asked_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("laminastatus", "catalog_count", models.PositiveIntegerField(default=0)),
        migrations.AddField("laminastatus", "catalog_limit", models.PositiveSmallIntegerField(blank=True, null=True)),
        migrations.AddField("laminastatus", "catalog_limit_until", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("laminastatus", "catalog_problem", models.CharField(blank=True, default="", max_length=20)),
        migrations.AddField("laminastatus", "catalog_problem_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("laminastatus", "catalog_quote", models.CharField(blank=True, default="", max_length=300)),
        migrations.AddIndex(
            model_name="app",
            index=models.Index(
                condition=models.Q(("gone_at", None)),
                fields=["position", "name"],
                name="app_listed",
            ),
        ),
        migrations.RemoveField("app", "missed_lists"),
    ]
