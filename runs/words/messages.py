"""The wording of stored messages (`models.messages.Message`), in the active language.

The database stores codes, so a code and the names of its values must be kept in this module as long as any row may
contain the code. The ending of a value's name says what kind of value it is: `_bytes` is a size, `_at` a Unix time,
`_kind` a kind of file, `_kinds` several kinds, `_credits` an amount in hundredths of a credit, `_month` a month such as
"2026-11", and `_message` another stored message. `worker` is the name of a group of worker processes. Other numbers are
counts.
"""

from datetime import UTC, date, datetime

from django.utils.functional import Promise
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext_lazy

from runs.models.messages import Message, Value, as_message
from runs.words.credits import credit_words
from runs.words.markup import filled_in, moment_html
from runs.words.moments import exact_time_words, month_words
from runs.words.numbers import number_words
from runs.words.sizes import size_words
from runs.words.workers import worker_words

LINKS: dict[str, Promise] = {
    "no_link": _lazy("That isn't a web link. A link starts with https:// or www."),
    "not_https": _lazy("Only links that start with https:// or www. can be opened."),
    "private_address": _lazy("That address is on a private network, so the portal won't open it."),
    "other_port": _lazy("Only links to ports 80 and 443 can be opened."),
    "with_password": _lazy("Links with a user name or password can't be opened."),
    "too_many_redirects": _lazy("That link redirects too many times."),
    "unreachable": _lazy("We couldn't reach the server that hosts this file."),
    "unsafe_connection": _lazy("The server that hosts this file has no valid certificate, so it can't be trusted."),
    "too_slow": _lazy("The file took too long to download."),
    "cut_off": _lazy("The connection was lost before the whole file arrived."),
    "not_allowed": _lazy("The server that hosts this file won't let the portal read it."),
    "not_there": _lazy("There is no file at that address any more."),
    "other_side_trouble": _lazy("The server that hosts this file is having problems."),
    "empty_at_address": _lazy("The file at that address is empty."),
    "too_large_to_fetch": _lazy("That file is larger than the limit of %(limit_bytes)s."),
    "link_to_web_page": _lazy(
        "That link leads to a web page, not a file. Open the picture itself and copy its address."
    ),
    "web_page_instead": _lazy("The server sent a web page instead of the file."),
    "unreadable_answer": _lazy("The server's response couldn't be read."),
    "not_within_a_day": _lazy("The file couldn't be fetched within 24 hours."),
}
FILES: dict[str, Promise] = {
    "broken_picture": _lazy("This picture is damaged or incomplete, so it can't be used."),
    "too_many_points": _lazy("This picture has over 70 million pixels, more than the portal can open."),
    "too_many_scans": _lazy("This picture would take too long to open."),
    "heic": _lazy("HEIC photos can't be used here. Save the photo as a JPEG or PNG, then choose the new file."),
    "svg": _lazy("SVG files can't be used here. Save the image as a PNG or JPEG, then choose the new file."),
    "no_media": _lazy("That file isn't a picture, video or audio file, so it can't be used here."),
    "wrong_kind": _lazy("This field takes %(wanted_kinds)s, but that file is %(given_kind)s."),
    "empty_file": _lazy("That file is empty."),
    "too_large_file": _lazy("That file is %(size_bytes)s; the limit here is %(limit_bytes)s."),
    "unreadable_file": _lazy("This file can't be read. Choose another."),
    "over_quota": _lazy(
        "You've reached the limit for files that no run has used yet: %(limit_bytes)s or %(limit)s files. "
        "Use some of them in a run, or wait: unused files are removed after %(days)s days."
    ),
    "links_at_once": _lazy("Several of your links are still loading. Wait until they've loaded, then add this one."),
    "disk_full": _lazy(
        "The portal's disk is full, so the file couldn't be saved. Admins can free up space in “Manage”."
    ),
    "disk_trouble": _lazy("The portal couldn't save the file. Try again in a moment."),
    "storage_away": _lazy("The portal's file storage can't be reached right now. Try again in a moment."),
    "file_not_ready": _lazy("The file isn't ready yet."),
    "file_lost": _lazy("The file is no longer in the portal's storage. Choose it again."),
    "no_upload_address": _lazy("Lamina returned no upload address for the file."),
    "not_taken": _lazy("Lamina didn't accept the file."),
    "copy_source_lost": _lazy("The file is no longer in the portal's storage."),
    "copy_failed": _lazy("The copy couldn't be made. The portal will try again."),
}
RUNS: dict[str, Promise] = {
    "another_run": _lazy("Lamina responded with another run's ID."),
    "nothing_came": _lazy("Lamina returned nothing for this result."),
    "interrupted": _lazy("The portal was interrupted while it was starting this run."),
}
FORMS: dict[str, Promise] = {
    "too_many_inputs": _lazy("This app has %(asked)s inputs; the limit is %(limit)s."),
    "too_many_results": _lazy("This app makes %(made)s results; the limit is %(limit)s."),
    "too_many_options": _lazy("This app has %(asked)s options to choose from; the limit is %(limit)s."),
    "form_too_large": _lazy("This app's form is too large: %(size_bytes)s; the limit is %(limit_bytes)s."),
    "form_refused": _lazy("Lamina won't send this app's form."),
}
FIELDS: dict[str, Promise] = {
    "field_choices": _lazy("Choose one of: %(choices)s."),
    "field_said_choices": _lazy("“%(said)s” Choose one of: %(choices)s."),
    "field_invalid_option": _lazy("Lamina doesn't accept this choice."),
    "field_missing": _lazy("Lamina needs this input."),
    "field_unknown": _lazy("Lamina doesn't recognize this input."),
    "field_invalid_type": _lazy("Lamina needs a different kind of value here."),
    "field_invalid_media": _lazy("Lamina can't use this file."),
}
INCIDENTS: dict[str, Promise] = {
    "worker_killed": _lazy("Worker %(worker)s ended unexpectedly."),
    "worker_silent": _lazy("Worker %(worker)s hasn't reported in since %(since_at)s."),
    "worker_hung": _lazy("The worker stopped responding, so it was restarted."),
    "worker_exited": _lazy("The worker ended with code %(exit_code)s, so it was restarted."),
    "worker_signalled": _lazy("The worker was killed by %(signal)s, so it was restarted."),
    "record_unguarded": _lazy(
        "The database had stopped protecting the record against changes. It's protected again now."
    ),
    "lamina_status": _lazy("Lamina responded to “%(endpoint)s” with status %(status)s."),
    "lamina_no_answer": _lazy("Lamina didn't respond to “%(endpoint)s”."),
    "list_refused": _lazy("Lamina refused to send the list of apps."),
    "list_late": _lazy("Lamina didn't send the list of apps in time."),
    "list_unreadable": _lazy("Lamina's list of apps couldn't be read."),
    "apps_refused": _lazy("Lamina or a proxy refused requests for several apps in a row."),
    "webhook_for_another_run": _lazy("A webhook call was about a different run than the one in its URL."),
    "result_not_saved": _lazy("A result from run %(run)s couldn't be saved: %(reason_message)s"),
    "second_start_cancelled": _lazy("Run %(run)s was started twice on Lamina. The second run was cancelled."),
    "second_start_goes_on": _lazy(
        "Run %(run)s was started twice on Lamina. The second run, %(remote)s, couldn't be cancelled."
    ),
    "started_after_all": _lazy(
        "Lamina started run %(run)s after all, although it had already ended here. Its id on Lamina is %(remote)s."
    ),
    "key_refused": _lazy("Lamina is rejecting the workspace key, so no new runs can start."),
    "little_room": _lazy("The portal's disk is nearly full: %(free_bytes)s left."),
    "mail_given_up": _lazy(
        "The portal couldn't deliver an email to %(name)s and won't try again. The mail server said: “%(words)s”"
    ),
    "mail_dead": _lazy("Emails to %(name)s aren't arriving: the mail server says the address doesn't exist."),
    "chat_off": _lazy(
        "%(app)s no longer accepts messages at the address that was set, so the portal has stopped sending them. "
        "Set a new address under “Notices”."
    ),
    "chat_message_lost": _lazy("A message couldn't be posted to %(app)s. %(reason_message)s"),
    "app_paused": _lazy("“%(app)s” is paused because its rules no longer match its form. %(reason_message)s"),
    "many_strays": ngettext_lazy(
        "The storage holds %(strays)s old file that the database doesn't know about, but only %(known)s that it does. "
        "Nothing was removed. Check that the database and the storage belong together.",
        "The storage holds %(strays)s old files that the database doesn't know about, but only %(known)s that it "
        "does. Nothing was removed. Check that the database and the storage belong together.",
        "strays",
    ),
}
RULES: dict[str, Promise] = {
    "rule_value_gone": _lazy("“%(field)s” is set to a value that the app no longer allows."),
    "rule_options_gone": _lazy("The app no longer has any of the options that are allowed for “%(field)s”."),
    "rule_value_missing": _lazy("“%(field)s” has no value, and the app no longer has a default for it."),
    "rule_unclear": _lazy("The app now has several fields called “%(field)s”, so the rule can't tell them apart."),
}
CHAT: dict[str, Promise] = {
    "chat_said": _lazy("It responded with status %(status)s: “%(words)s”"),
    "chat_said_nothing": _lazy("It responded with status %(status)s."),
    "chat_unreachable": _lazy("Its server couldn't be reached."),
    "chat_unsafe": _lazy("Its server has no valid certificate, so it can't be trusted."),
    "chat_too_slow": _lazy("Its server didn't respond in time."),
    "chat_private": _lazy("The address is on a private network, so nothing was sent."),
    "chat_bad_address": _lazy("The address can't be opened."),
    "chat_address_unreadable": _lazy(
        "The portal's secret key has changed, so the address can't be read any more. Paste it again."
    ),
}
SPENDING: dict[str, Promise] = {
    "limit_near": _lazy("You've used %(used_credits)s in %(of_month)s. Your limit is %(limit_credits)s."),
    "limit_reached": _lazy(
        "You've reached your limit of %(limit_credits)s for %(of_month)s. Ask an admin if you need more."
    ),
    "limit_reached_admin": _lazy(
        "You've reached your limit of %(limit_credits)s for %(of_month)s. You can raise it in “Manage”."
    ),
    "limit_reached_by": _lazy("%(name)s has reached their limit of %(limit_credits)s for %(of_month)s."),
    "portal_limit_near": _lazy("Your team has used %(used_credits)s in %(of_month)s. Its limit is %(limit_credits)s."),
    "portal_limit_reached": _lazy(
        "Your team has reached its limit of %(limit_credits)s for %(of_month)s. "
        "Nobody can start a run that costs credits."
    ),
    "limit_asked": _lazy(
        "%(name)s has used %(used_credits)s of %(limit_credits)s in %(of_month)s and is asking for a higher limit."
    ),
    "account_day": _lazy(
        "The account has spent %(spent_credits)s in the last 24 hours. The alert is set to %(limit_credits)s."
    ),
    "account_left": _lazy("The account has only %(left_credits)s left."),
}
SENTENCES = LINKS | FILES | RUNS | FORMS | FIELDS | INCIDENTS | RULES | CHAT | SPENDING


def say(message: Message | str) -> str:
    """Return the message as a sentence in the active language. Quoted text is left as is; an empty message becomes "".

    An unknown code, which must come from a newer version, is returned unchanged.
    """
    message = as_message(message)
    if message.code not in SENTENCES:
        return message.quote or message.code
    sentence = SENTENCES[message.code]
    try:
        return str(sentence % {name: _value_words(name, value) for name, value in message.values.items()})
    except (KeyError, ValueError, TypeError):
        return message.code


def say_in_html(message: Message | str) -> SafeString:
    """Return the message as `say` does, but as HTML for pages, where times show their zone on focus and hover."""
    message = as_message(message)
    times = {name: value for name, value in message.values.items() if name.endswith("_at")}
    if message.code not in SENTENCES or not times:
        return escape(say(message))
    others = {name: _value_words(name, value) for name, value in message.values.items() if name not in times}
    try:
        moments = {name: _moment_of(value) for name, value in times.items()}
        return filled_in(str(SENTENCES[message.code]), **others, **moments)
    except (KeyError, ValueError, TypeError):
        return escape(message.code)


def _moment_of(value: Value) -> SafeString:
    at = datetime.fromtimestamp(float(value), UTC)
    return moment_html(at, exact_time_words(at))


class _Count(int):
    """A number shown with thousands separators."""

    def __str__(self) -> str:
        return number_words(int(self))


def _value_words(name: str, value: Value) -> object:
    if name == "worker":
        return worker_words(str(value))
    if name.endswith("_message"):
        return say(Message.from_stored(str(value)))
    if name.endswith("_kinds"):
        return get_text_list([kind_words(kind) for kind in str(value).split()])
    if name.endswith("_kind"):
        return kind_words(str(value))
    if name.endswith("_bytes"):
        return size_words(int(value))
    if name.endswith("_credits"):
        return credit_words(int(value))
    if name.endswith("_month"):
        return month_words(date.fromisoformat(f"{value}-01"))
    if name.endswith("_at"):
        return exact_time_words(datetime.fromtimestamp(float(value), UTC))
    return _Count(value) if isinstance(value, int) else value


def kind_words(kind: str) -> str:
    """Return "a picture", "a video" or "an audio file"; "something else" for other kinds."""
    words = {"image": _("a picture"), "video": _("a video"), "audio": _("an audio file")}
    return words.get(kind, _("something else"))
