"""Store whether a guest's answer counted, and the rule that only links of people who may decide count."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("runs", "0077_hash_session_keys"),)

    operations = (
        migrations.AddField("decision", "is_counted", models.BooleanField(default=True, db_default=True)),
        migrations.AddField("reviewrules", "only_deciders_links", models.BooleanField(default=False, db_default=False)),
    )
