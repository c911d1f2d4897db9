"""Record which form saved a draft last, and which form a preset was set aside for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("runs", "0085_replaced_in_links"),)

    operations = (
        migrations.AddField("draft", "form", models.CharField(max_length=16, blank=True, default="", db_default="")),
        migrations.AddField("preset", "form", models.CharField(max_length=16, blank=True, default="", db_default="")),
    )
