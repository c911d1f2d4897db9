from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runs", "0027_shared_lately")]

    operations = [
        migrations.AddField(
            model_name="member",
            name="time_zone",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="member",
            name="browser_time_zone",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
    ]
