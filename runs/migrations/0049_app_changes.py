import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

KINDS = [
    ("added", "New field"),
    ("gone", "Field removed"),
    ("renamed", "Field renamed"),
    ("retyped", "Field type changed"),
    ("needed", "Default removed"),
    ("options_added", "New options"),
    ("options_gone", "Options removed"),
]


class Migration(migrations.Migration):
    """Store changes to the forms of apps, for admins to see."""

    dependencies = [
        ("runs", "0048_app_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="AppChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("kind", models.CharField(choices=KINDS, max_length=13)),
                ("field", models.CharField(max_length=300)),
                ("detail", models.JSONField(default=dict)),
                (
                    "app",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="changes", to="runs.app"
                    ),
                ),
            ],
            options={
                "ordering": ("-at", "pk"),
                "indexes": [models.Index(fields=["app", "-at"], name="app_change_of_app")],
            },
        ),
    ]
