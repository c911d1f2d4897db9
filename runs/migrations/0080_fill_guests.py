"""Make a guest of everyone who has answered or commented so far. Until now, a guest was a link and a folded name."""

from django.db import migrations

MODELS = ("Decision", "Comment", "GuestContact")
BATCH = 500


def fill(apps, schema_editor):
    guest_model = apps.get_model("runs", "Guest")
    found = {}
    for model in MODELS:
        rows = apps.get_model("runs", model).objects.exclude(guest_key="").order_by("created_at", "pk")
        for link, key, name, at in rows.values_list("link", "guest_key", "guest_name", "created_at").iterator():
            first, last, _ = found.get((link, key), (at, at, name))
            found[link, key] = (min(first, at), max(last, at), name if at >= last else found[link, key][2])
    taken = set()
    guests = []
    for (link, key), (first, _, name) in found.items():
        # Folding may have changed over time, so two keys may have the same name
        number = next(n for n in range(1, len(found) + 2) if (link, _shown(name, n)) not in taken)
        taken.add((link, _shown(name, number)))
        shown = _shown(name, number)
        guests.append(
            guest_model(link_id=link, name=name, shown_name=shown, key=key, is_known_by_name=True, created_at=first)
        )
    for guest in guest_model.objects.bulk_create(guests, batch_size=BATCH):
        for model in MODELS:
            rows = apps.get_model("runs", model).objects.filter(link=guest.link_id, guest_key=guest.key)
            rows.update(guest=guest)


def _shown(name, number):
    ending = f" ({number})" if number > 1 else ""
    return f"{name[: 100 - len(ending)]}{ending}"


class Migration(migrations.Migration):
    dependencies = (("runs", "0079_guests"),)

    operations = (migrations.RunPython(fill, migrations.RunPython.noop),)
