"""Stop storing whether each run is news, because notices do that now (0040)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = (
        ("runs", "0042_carried_comments"),
        ("runs", "0043_decisions_of_guests"),
        ("runs", "0040_results_of_notices"),
        ("runs", "0041_chat_apps_and_language"),
    )

    operations = (
        migrations.RemoveIndex(model_name="run", name="run_news"),
        migrations.RemoveField(model_name="run", name="is_news"),
    )
