"""Keep when a member was last seen even when their sessions have ended. So far, sessions alone said so."""

from typing import Any

from django.db import migrations, models
from django.db.models import Max, OuterRef, Subquery


def fill(apps: Any, schema_editor: Any) -> None:
    sessions = apps.get_model("runs", "BrowserSession").objects.filter(member=OuterRef("pk")).order_by()
    latest = sessions.values("member").annotate(at=Max("seen_at")).values("at")
    apps.get_model("runs", "Member").objects.update(seen_at=Subquery(latest))


class Migration(migrations.Migration):
    dependencies = (("runs", "0087_files_of_lists"),)

    operations = (
        migrations.AddField("member", "seen_at", models.DateTimeField(null=True, blank=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
    )
