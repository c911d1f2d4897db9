"""Require a guest's row for everything that a guest said, and for their email address."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

DECIDER = Q(member__isnull=False, guest=None, link=None, guest_name="", guest_key="") | (
    Q(member=None, guest__isnull=False, link__isnull=False) & ~Q(guest_key="")
)


class Migration(migrations.Migration):
    dependencies = (("runs", "0080_fill_guests"),)

    operations = (
        migrations.RemoveConstraint("comment", "comment_of_member_or_guest"),
        migrations.AddConstraint(
            "comment", models.CheckConstraint(condition=DECIDER, name="comment_of_member_or_guest")
        ),
        migrations.RemoveConstraint("decision", "decision_of_member_or_guest"),
        migrations.AddConstraint(
            "decision", models.CheckConstraint(condition=DECIDER, name="decision_of_member_or_guest")
        ),
        migrations.RemoveConstraint("decision", "decision_standing_of_guest"),
        migrations.AddConstraint(
            "decision",
            models.UniqueConstraint(
                fields=["output", "content_hash", "guest"],
                condition=Q(is_standing=True, member=None),
                name="decision_standing_of_guest",
            ),
        ),
        migrations.RemoveConstraint("guestcontact", "guest_contact_unique"),
        migrations.AlterField(
            "guestcontact",
            "guest",
            models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name="contact", to="runs.guest"),
        ),
        migrations.RemoveField("guestcontact", "link"),
        migrations.RemoveField("guestcontact", "guest_name"),
        migrations.RemoveField("guestcontact", "guest_key"),
    )
