"""Notify the owners and makers of runs about comments."""

from django.db import migrations, models

KINDS = [
    ("mention", "Someone mentions you"),
    ("reply", "Someone replies to you"),
    ("comment", "Someone comments on your run"),
    ("asked", "You're asked for a decision"),
    ("decided", "Someone decides on your result"),
    ("set-aside", "Someone sets your decision aside"),
    ("guest", "A guest answers or comments"),
    ("ready", "Your run is ready"),
    ("failed", "Your run fails"),
    ("limit", "You've used most or all of your spending limit"),
    ("portal", "The portal needs an admin's attention"),
]


class Migration(migrations.Migration):
    dependencies = (("runs", "0051_spending_alerts"),)

    operations = (
        migrations.AlterField("chatmessage", "kind", models.CharField(choices=KINDS, max_length=9)),
        migrations.AlterField("notice", "kind", models.CharField(choices=KINDS, max_length=9)),
        migrations.AlterField("noticechoice", "kind", models.CharField(choices=KINDS, max_length=9)),
    )
