"""Who made a run stands beside whose it is. Both were one column until now, and a hand-over wrote over it.

The one-time token of the form tells it: it begins with the number of the person whom the form was given to, nobody
else's press was ever taken, and a hand-over leaves it. So nothing is guessed: where it is today's owner, it is them;
where a hand-over came between, it is who pressed; where the token tells nobody, it stays unknown.
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
