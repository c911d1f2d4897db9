"""Add readings of what the account has spent, which alerts were sent, and how many of each charge's results were
approved."""

from typing import Any

from django.db import migrations, models
from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce


KINDS = [
    ("mention", "Someone mentions you"),
    ("reply", "Someone replies to you"),
    ("asked", "You're asked for a decision"),
    ("decided", "Someone decides on your result"),
    ("set-aside", "Someone sets your decision aside"),
    ("guest", "A guest answers or comments"),
    ("ready", "Your run is ready"),
    ("failed", "Your run fails"),
    ("limit", "You've used most or all of your spending limit"),
    ("portal", "The portal needs an admin's attention"),
]


def count_approved(apps: Any, _schema_editor: Any) -> None:
    """Count the approved results of runs that have already been charged, and update the sums."""
    Charge, Output = apps.get_model("runs", "Charge"), apps.get_model("runs", "Output")
    SpendingSum = apps.get_model("runs", "SpendingSum")
    approved = Output.objects.filter(run=OuterRef("run"), verdict="approved", status="completed").order_by()
    rounds = approved.values("run").annotate(rounds=Sum("number")).values("rounds")
    count = approved.values("run").annotate(count=models.Count("pk")).values("count")
    Charge.objects.filter(run__outputs_approved__gt=0).update(
        approved=Coalesce(Subquery(count), 0), rounds=Coalesce(Subquery(rounds), 0)
    )
    sums = Charge.objects.filter(approved__gt=0).order_by().values("month", "member", "app", "kind")
    for one in sums.annotate(approved=Sum("approved"), rounds=Sum("rounds")).iterator():
        key = {name: one[name] for name in ("month", "member", "app", "kind")}
        SpendingSum.objects.filter(**key).update(approved=one["approved"], rounds=one["rounds"])


class Migration(migrations.Migration):

    dependencies = [
        ("runs", "0050_keeping"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_index=True)),
                ("spent", models.BigIntegerField()),
                ("charged", models.BigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="laminastatus",
            name="spent",
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name="charge",
            name="approved",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="charge",
            name="rounds",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="monthtotal",
            name="told",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="spendingsum",
            name="approved",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="spendingsum",
            name="rounds",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddIndex(
            model_name="charge",
            index=models.Index(condition=models.Q(is_from_before=True), fields=["month"], name="charge_from_before"),
        ),
        migrations.AlterField(
            model_name="chatmessage",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=9),
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=9),
        ),
        migrations.AlterField(
            model_name="noticechoice",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=9),
        ),
        migrations.RunPython(count_approved, migrations.RunPython.noop, elidable=True),
    ]
