"""Tasks for django-q2. The tasks only call other packages. It doesn't matter if one is lost, repeated or late."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from runs import catalog
from runs.audit import networks
from runs.background import heartbeats, incidents
from runs.background.due_work import DueWork
from runs.background.queue import enqueue_at, enqueue_long
from runs.background.seats import long_seat, long_task
from runs.catalog import lamina_search
from runs.connection import balance
from runs.engine import cancel, poller_wakeups, polling, reconcile, save_outputs, submit, wakeups, webhooks
from runs.engine import hide_inputs as hiding
from runs.engine import sweep as sweeping
from runs.history import bin, retention_rules, run_counts, selection
from runs.launching import drafts
from runs.management import examples, record_guard
from runs.notices import alerts, channels, chat, mails, problems, read_state
from runs.sharing import guest_identity, make_guest_copies
from runs.spending import account
from runs.storage import deferred_thumbnails, orphans, store, usage
from runs.team import passwords, security_mail, sessions, transfers
from runs.uploads import uploads
from runs.web import throttling
from runs.words import known_words

CLEARING_SECONDS = 3000
DUE_WORK: tuple[DueWork[Any], ...] = (
    save_outputs.FILES,
    uploads.LINKS,
    deferred_thumbnails.PICTURES,
    make_guest_copies.COPIES,
    hiding.HIDING,
    transfers.TRANSFERS,
    chat.CHAT,
    mails.MAILS,
)
SCHEDULES: dict[str, dict[str, Any]] = {
    # The scheduler only checks every 30 s, whatever the Schedule says; with this cron, the pulse is due at every check.
    "pulse": {"func": "runs.tasks.pulse", "schedule_type": "C", "cron": "* * * * * */15", "repeats": -1},
    "catalog": {"func": "runs.tasks.request_catalog", "schedule_type": "I", "minutes": 10, "repeats": -1},
    "clearing": {"func": "runs.tasks.request_clearing", "schedule_type": "D", "repeats": -1},
    "account": {"func": "runs.tasks.read_account", "schedule_type": "H", "repeats": -1},
    "tidy": {"func": "runs.tasks.tidy", "schedule_type": "H", "repeats": -1},
}


def pulse(worker: str = "") -> None:
    """Record a heartbeat, queue work that is due, create daily emails that are due, and wake the poller.

    Each worker (`worker` is its name) hands itself a pulse when it starts and then every 10 s, so that work continues
    right away after another one was killed. The scheduled pulse, every 30 s, may run on any cluster.
    """
    is_new, is_any_lost = heartbeats.beat_cluster(worker), heartbeats.record_losses()
    if is_new or is_any_lost:
        wakeups.forget()
    sweep()
    poller_wakeups.revive()
    catalog.request_completion()
    webhooks.request_keys_if_wanted()
    problems.look()
    alerts.look()
    mails.request_daily()
    examples.request_rest()


def sweep() -> None:
    """Queue all work that is due."""
    sweeping.sweep()
    for work in DUE_WORK:
        work.request()


def submit_run(run_id: int) -> None:
    submit.submit_run(run_id)


def check_run(run_id: int) -> None:
    reconcile.check_run(run_id)


def refresh_keys() -> None:
    webhooks.refresh_keys()


def cancel_run(run_id: int) -> None:
    cancel.send_cancel(run_id)


def poll() -> None:
    polling.poll_window()


def keep_files() -> None:
    save_outputs.FILES.run()


def make_small_pictures() -> None:
    deferred_thumbnails.PICTURES.run()


def copy_for_guests() -> None:
    make_guest_copies.COPIES.run()


def fetch_links() -> None:
    uploads.LINKS.run()


def hide_inputs() -> None:
    hiding.HIDING.run()


def transfer_runs() -> None:
    transfers.TRANSFERS.run()


def request_catalog() -> None:
    """Queue a catalogue refresh, which may take longer than a Schedule allows."""
    catalog.request_regular_refresh()


@long_task
def refresh_catalog() -> None:
    catalog.refresh_catalog()


@long_task
def complete_catalog() -> None:
    catalog.complete_catalog()


def check_app(app_id: int) -> None:
    catalog.check_app(app_id)


def refresh_balance() -> None:
    balance.refresh_balance()


def read_account() -> None:
    account.read_account()


def refresh_app(app_id: int) -> None:
    catalog.refresh_app(app_id)


def read_estimate(app_id: int) -> None:
    catalog.read_estimate(app_id)


def search_lamina(key: str) -> None:
    lamina_search.answer(key)


def send_new_password_mail(member_id: int) -> None:
    passwords.send_new_password_mail(member_id)


def send_password_changed_mail(member_id: int, at: int) -> None:
    security_mail.send_password_changed_mail(member_id, at)


def send_new_browser_mail(member_id: int, signed_in_id: int, at: int) -> None:
    security_mail.send_new_browser_mail(member_id, signed_in_id, at)


def send_mails() -> None:
    mails.MAILS.run()


def send_chat() -> None:
    chat.CHAT.run()


@long_task
def make_examples() -> None:
    examples.make_examples()


@long_task
def count_storage() -> None:
    usage.count(timezone.now())


def tidy() -> None:
    now = timezone.now()
    incidents.tidy(now)
    drafts.tidy(now)
    selection.tidy(now)
    throttling.tidy(now)
    sessions.tidy(now)
    heartbeats.tidy(now)
    chat.tidy(now)
    lamina_search.tidy(timezone.now())
    read_state.tidy(now)
    mails.tidy(now)
    guest_identity.tidy(now)
    networks.tidy(now)
    record_guard.restore()
    run_counts.count(now)
    store.tidy_waiting_room()


def request_clearing() -> None:
    """Queue the daily cleanup, which may take longer than a Schedule allows."""
    enqueue_long("clear", timeout_seconds=CLEARING_SECONDS)


def clear() -> None:
    """Run the daily cleanup: apply the retention rules, delete runs that have been in the bin for 30 days, and remove
    unused files, guest copies that are no longer needed, old entries of the record, and known words that no longer
    appear in any text. Also re-encrypt chat addresses with the current secret key, and recount the space that files
    take up. If all seats for long tasks are taken, try again in ten minutes."""
    with long_seat() as may_run:
        if not may_run:
            enqueue_at(timezone.now() + timedelta(minutes=10), "request_clearing")
            return
        retention_rules.apply(timezone.now())
        bin.empty_overdue()
        orphans.sweep()
        make_guest_copies.tidy()
        channels.seal_again()
        known_words.forget_unused()
        usage.count(timezone.now())
