"""Store the words of each mention, and which file of a result a comment points to."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0036_content_hashes"),
    ]

    operations = [
        # Comments are new in this version, so none mentions anybody yet.
        migrations.RemoveField(model_name="comment", name="mentions"),
        migrations.CreateModel(
            name="Mention",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("words", models.CharField(blank=True, default="", max_length=200)),
                (
                    "comment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="mention_rows", to="runs.comment"
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mention_rows",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("comment", "member"), name="mention_unique")],
            },
        ),
        migrations.AddField(
            model_name="comment",
            name="mentions",
            field=models.ManyToManyField(
                related_name="mentioned_in", through="runs.Mention", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="comment",
            name="file_position",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddIndex(
            model_name="comment",
            index=models.Index(
                models.F("member"), models.OrderBy(models.F("created_at"), descending=True), name="comment_of_member"
            ),
        ),
        migrations.AddIndex(
            model_name="comment",
            index=models.Index(
                models.F("link"),
                models.OrderBy(models.F("created_at"), descending=True),
                condition=models.Q(("link__isnull", False)),
                name="comment_of_guest",
            ),
        ),
    ]
