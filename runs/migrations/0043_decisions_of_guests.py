from django.db import migrations, models
from django.db.models import F, Q

IS_GUEST = Q(link__isnull=False)


class Migration(migrations.Migration):
    """Index guests' decisions by name and by time, so that finding them doesn't involve reading members' decisions."""

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
