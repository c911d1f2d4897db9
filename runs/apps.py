"""Django app config: registers event listeners, and creates django-q2 Schedules after every migrate."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RunsConfig(AppConfig):
    name = "runs"
    verbose_name = "Lamina Portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from runs import checks
        from runs.audit.actors import act_for_task
        from runs.background.queue import before_each_task
        from runs.team import recent_password, sessions

        checks.listen()
        listen_to_events()
        sessions.listen()
        recent_password.listen()
        before_each_task(act_for_task)
        post_migrate.connect(make_schedules, sender=self)
        post_migrate.connect(guard_record, sender=self)


def listen_to_events() -> None:
    """Register each event's listeners, in the order they're called."""
    from runs import events
    from runs.connection import balance
    from runs.engine import apply_outputs, durations
    from runs.notices import follow, guest_mails, listeners
    from runs.review import content_hash, guest_answers, requests, search_words, versions
    from runs.sharing import guest_copies

    events.run_ended.listen(durations.on_run_ended)
    events.run_ended.listen(balance.on_run_ended)
    events.output_saved.listen(guest_copies.on_output_saved)
    events.file_inspected.listen(apply_outputs.on_file_inspected)
    events.decision_made.listen(requests.on_decision_made)
    events.decision_made.listen(search_words.on_decision_made)
    events.comment_posted.listen(search_words.on_comment_posted)
    events.comment_changed.listen(search_words.on_comment_changed)
    events.comments_carried.listen(search_words.on_comments_carried)
    events.list_arrived.listen(requests.on_list_arrived)
    events.content_changed.listen(content_hash.on_content_changed)
    events.content_changed.listen(requests.on_content_changed)
    events.content_changed.listen(versions.on_content_changed)
    events.version_made.listen(requests.on_version_made)
    events.run_shared.listen(requests.on_run_shared)
    events.run_ended.listen(requests.on_run_ended)
    events.deciders_changed.listen(guest_answers.on_deciders_changed)
    events.run_ended.listen(listeners.on_run_ended)
    events.output_saved.listen(listeners.on_output_saved)
    events.file_inspected.listen(listeners.on_file_inspected)
    events.mentioned.listen(listeners.on_mentioned)
    events.comment_posted.listen(listeners.on_comment_posted)
    events.comment_changed.listen(listeners.on_comment_changed)
    events.decision_made.listen(listeners.on_decision_made)
    events.decision_made.listen(follow.on_decision_made)
    events.comments_carried.listen(follow.on_comments_carried)
    events.request_closed.listen(follow.on_request_closed)
    events.review_asked.listen(listeners.on_review_asked)
    events.comment_posted.listen(guest_mails.on_comment_posted)
    events.comment_changed.listen(guest_mails.on_comment_changed)
    events.version_shown.listen(guest_mails.on_version_shown)
    events.incident_recorded.listen(listeners.on_incident_recorded)
    events.member_left.listen(listeners.on_member_left)


def guard_record(**_: Any) -> None:
    """Make the database refuse changes to the record of who did what."""
    from runs.audit import guard

    guard.install()


def make_schedules(**_: Any) -> None:
    from runs.background.queue import set_schedules
    from runs.tasks import SCHEDULES

    set_schedules(SCHEDULES)
