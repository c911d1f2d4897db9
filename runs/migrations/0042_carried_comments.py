"""Store which result a comment was first written on when it is carried over to a later version."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0041_chat_apps_and_language"),
    ]

    operations = [
        migrations.AddField(
            model_name="comment",
            name="carried_from",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="comments_carried_on",
                to="runs.output",
            ),
        ),
        migrations.AddField(
            model_name="comment",
            name="written_hash",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AlterField(
            model_name="commentchange",
            name="act",
            field=models.CharField(
                choices=[
                    ("resolved", "resolved a comment"),
                    ("reopened", "reopened a comment"),
                    ("edited", "edited a comment"),
                    ("removed", "removed a comment"),
                    ("carried", "carried a comment over"),
                    ("returned", "moved a comment back"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddIndex(
            model_name="comment",
            index=models.Index(
                condition=models.Q(("carried_from__isnull", False)),
                fields=["carried_from"],
                name="comment_carried_from",
            ),
        ),
    ]
