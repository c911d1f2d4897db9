"""The Django app. Registers the event listeners, and creates django-q2's Schedules after every migrate."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RunsConfig(AppConfig):
    name = "runs"
    verbose_name = "Lamina Portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from runs import events
        from runs.background import task_package
        from runs.engine import apply_outputs, durations
        from runs.sharing import guest_copies
        from runs.team import recent_password, sessions

        events.run_ended.listen(durations.on_run_ended)
        events.output_saved.listen(guest_copies.on_output_saved)
        events.file_inspected.listen(apply_outputs.on_file_inspected)
        sessions.listen()
        recent_password.listen()
        task_package.install()
        post_migrate.connect(make_schedules, sender=self)


def make_schedules(**_: Any) -> None:
    """Create or update each Schedule. The database doesn't enforce unique names, so remove duplicates."""
    from django_q.models import Schedule

    from runs.tasks import SCHEDULES

    for name, fields in SCHEDULES.items():
        twins = Schedule.objects.filter(name=name).order_by("pk").values_list("pk", flat=True)[1:]
        Schedule.objects.filter(pk__in=list(twins)).delete()  # duplicates, if two hosts migrated at once
        Schedule.objects.update_or_create(name=name, defaults=fields)
