"""Store only hashes of session keys. The cookies stay as they are, so nobody is signed out."""

import hashlib
from typing import Any

from django.db import migrations

LENGTH = 40


def hash_keys(apps: Any, _editor: Any) -> None:
    for rows in (apps.get_model("sessions", "Session").objects, apps.get_model("runs", "BrowserSession").objects):
        for key in list(rows.values_list("session_key", flat=True)):
            hashed = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:LENGTH]
            rows.filter(session_key=key).update(session_key=hashed)


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0076_starred_apps"),
        ("sessions", "0001_initial"),
    ]

    operations = [migrations.RunPython(hash_keys, migrations.RunPython.noop)]
