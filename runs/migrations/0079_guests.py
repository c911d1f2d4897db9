"""Give each guest of a link a row. `0080` fills it, `0081` requires it."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models import Q

import runs.models.ids


class Migration(migrations.Migration):
    dependencies = (("runs", "0078_client_says"),)

    operations = (
        migrations.CreateModel(
            "Guest",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(default=runs.models.ids.new_public_id, editable=False, max_length=16, unique=True),
                ),
                ("name", models.CharField(max_length=100)),
                ("shown_name", models.CharField(max_length=100)),
                ("key", models.CharField(max_length=100)),
                ("is_known_by_name", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "link",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="guests", to="runs.guestlink"
                    ),
                ),
                (
                    "same_as",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="runs.guest",
                    ),
                ),
            ],
            options={
                "ordering": ("created_at", "pk"),
                "constraints": (
                    models.UniqueConstraint(fields=["link", "shown_name"], name="guest_shown_name_unique"),
                    models.UniqueConstraint(
                        condition=Q(is_known_by_name=True), fields=["link", "key"], name="guest_by_name"
                    ),
                ),
            },
        ),
        migrations.CreateModel(
            "SentAnswer",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("page_key", models.CharField(max_length=22)),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                (
                    "guest",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="runs.guest"),
                ),
            ],
            options={"indexes": (models.Index(fields=["page_key"], name="sent_answer_of_page"),)},
        ),
        *(
            migrations.AddField(
                model,
                "guest",
                models.ForeignKey(
                    blank=True,
                    null=True,
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="+",
                    to="runs.guest",
                ),
            )
            for model in ("decision", "comment")
        ),
        migrations.AddField(
            "guestcontact",
            "guest",
            models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="contact", to="runs.guest"
            ),
        ),
    )
