"""Store when each upload was last used, so that the library no longer has to look through all runs."""

from typing import Any

import django.utils.timezone
from django.db import migrations, models
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Greatest


def fill(apps: Any, _schema_editor: object) -> None:
    upload, link = apps.get_model("runs", "Upload"), apps.get_model("runs", "RunInputUpload")
    runs = link.objects.filter(upload=OuterRef("pk")).order_by("-input__run__created_at")
    last = Subquery(runs.values("input__run__created_at")[:1])
    upload.objects.update(used_at=Greatest("created_at", Coalesce(last, F("created_at"))))


class Migration(migrations.Migration):
    dependencies = (("runs", "0067_run_counts"),)

    operations = (
        migrations.AddField("upload", "used_at", models.DateTimeField(default=django.utils.timezone.now)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            "upload",
            models.Index(fields=["member", "-used_at", "-id"], condition=Q(status="ready"), name="upload_latest"),
        ),
    )
