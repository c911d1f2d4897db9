from django.db import migrations, models
from django.db.models import F, Q

IS_GUEST = Q(link__isnull=False)


class Migration(migrations.Migration):
    """Find what a guest of a certain name decided, and who decided lately, without reading what members decided."""

    dependencies = [
        ("runs", "0042_carried_comments"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(
                F("guest_key"), F("created_at").desc(), condition=IS_GUEST, name="decision_of_guest_name"
            ),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(F("created_at").desc(), condition=IS_GUEST, name="decision_of_guests_lately"),
        ),
    ]
