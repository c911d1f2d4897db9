"""Make guests' copies of sounds again: earlier copies may still contain the prompt, if a file was made by joining
others or has its title behind the sound. The next daily cleanup removes the earlier copies' files."""

from django.db import migrations
from django.utils import timezone

SOUNDS = ("audio/mpeg", "audio/aac", "audio/flac", "audio/wav", "audio/ogg")


def request_again(apps, schema_editor):
    copies = apps.get_model("runs", "GuestCopy").objects.filter(source__media_type__in=SOUNDS)
    waiting = {"status": "preparing", "file": None, "attempts": 0, "due_at": timezone.now(), "claimed_until": None}
    copies.update(**waiting, error="")


class Migration(migrations.Migration):
    dependencies = (("runs", "0071_apps_with_failed_runs"),)

    operations = (migrations.RunPython(request_again, migrations.RunPython.noop),)
