"""Store who made a run separately from who owns it. Until now, one column held both the maker and the owner, and a
transfer overwrote it.

The maker is read from the form's one-time token, which starts with the primary key of the member who opened the form.
Nobody else could use the token, and a transfer doesn't change it, so this isn't a guess. If that member no longer
exists, the maker remains unknown.
"""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def fill(apps: Any, schema_editor: Any) -> None:
    runs = apps.get_model("runs", "Run").objects
    for pk in list(apps.get_model("runs", "Member").objects.values_list("pk", flat=True)):
        runs.filter(made_by=None, form_token__startswith=f"{pk}.").update(made_by=pk)


class Migration(migrations.Migration):
    dependencies = [("runs", "0020_known_address")]
    operations = [
        migrations.AddField(
            "run",
            "made_by",
            models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
