"""Add retention rules for each kind of thing, holds on runs, removal dates for rejected results, and a record of how
much space files take up."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = (("runs", "0049_app_changes"),)

    operations = (
        migrations.CreateModel(
            name="StorageUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "use",
                    models.CharField(
                        choices=[
                            ("results", "Results"),
                            ("uploads", "Uploads"),
                            ("bin", "In the bin"),
                            ("copies", "Copies for guests"),
                            ("apps", "App pictures"),
                            ("unused", "No longer used"),
                        ],
                        max_length=7,
                    ),
                ),
                ("media", models.CharField(max_length=5)),
                ("files", models.PositiveBigIntegerField(default=0)),
                ("size_bytes", models.PositiveBigIntegerField(default=0)),
                ("counted_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddField("output", "kept_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("output", "removal_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("output", "removed_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "retentionrules", "record_days", models.PositiveSmallIntegerField(blank=True, default=730, null=True)
        ),
        migrations.AddField("retentionrules", "rejected_days", models.PositiveSmallIntegerField(blank=True, null=True)),
        migrations.AddField("retentionrules", "uploads_days", models.PositiveSmallIntegerField(blank=True, null=True)),
        migrations.AddField("run", "held_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "run",
            "held_by",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(  # only the choices
            "outputfile",
            "status",
            models.CharField(
                choices=[
                    ("saving", "Saving"),
                    ("saved", "Saved"),
                    ("failed", "Could not be saved"),
                    ("gone", "Removed"),
                ],
                default="saving",
                max_length=6,
            ),
        ),
        migrations.AlterField(  # only the choices
            "upload",
            "status",
            models.CharField(
                choices=[
                    ("fetching", "Fetching"),
                    ("ready", "Ready"),
                    ("failed", "Failed"),
                    ("removed", "Removed"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddIndex(
            "output",
            models.Index(
                fields=["run"],
                condition=Q(verdict="rejected", removal_at=None, removed_at=None),
                name="output_rejected",
            ),
        ),
        migrations.AddIndex(
            "output",
            models.Index(fields=["removal_at"], condition=Q(removal_at__isnull=False), name="output_removal"),
        ),
        migrations.AddIndex(
            "run",
            models.Index(
                fields=["finished_at", "status"],
                condition=Q(finished_at__isnull=False, deleted_at=None, held_at=None, has_star=False),
                name="run_overdue",
            ),
        ),
        migrations.AddIndex(
            "run", models.Index(fields=["held_at"], condition=Q(held_at__isnull=False), name="run_on_hold")
        ),
        migrations.AddConstraint(
            "run",
            models.CheckConstraint(condition=Q(held_at=None) | Q(deleted_at=None), name="run_on_hold_not_in_bin"),
        ),
    )
