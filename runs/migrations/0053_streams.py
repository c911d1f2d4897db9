"""Remember for a day that Lamina refuses to let the portal follow runs live."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("runs", "0052_comment_notices"),)

    operations = (
        migrations.AddField("laminastatus", "stream_failures", models.PositiveSmallIntegerField(db_default=0, default=0)),
        migrations.AddField("laminastatus", "streams_refused_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "laminastatus",
            "streams_refusal",
            models.CharField(blank=True, db_default="", default="", max_length=20),
        ),
    )
