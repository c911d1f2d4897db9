"""Rename three models to more common terms. Their tables keep their names, so the database doesn't change."""

from django.db import migrations

TABLES = {"SignedIn": "runs_signedin", "SignInAttempt": "runs_signinattempt", "KeepingRules": "runs_keepingrules"}


class Migration(migrations.Migration):
    dependencies = [("runs", "0021_made_by")]
    operations = [
        *(migrations.AlterModelTable(name, table) for name, table in TABLES.items()),
        migrations.RenameModel("SignedIn", "BrowserSession"),
        migrations.RenameModel("SignInAttempt", "ThrottleHit"),
        migrations.RenameModel("KeepingRules", "RetentionRules"),
    ]
