"""Three models get names of the field; their tables keep theirs, so the database does not change."""

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
