"""Turn sentences stored by older versions into codes with values, so that people read them in their own language.

The sentences are listed here in their old wording. Any other text stays unchanged and is shown as a quote.
"""

import json
import re
from datetime import datetime

from django.db import migrations
from django.utils import timezone

SIZE = r"([\d.]+)\s?(bytes?|KB|MB|GB)"
UNITS = {"byte": 1, "bytes": 1, "KB": 1024, "MB": 1000**2, "GB": 1000**3}

PLAIN = {
    "That is not a web link. A link starts with https://": "no_link",
    "Only links that start with https:// can be opened.": "not_https",
    "That address belongs to a private network, so the portal does not open it.": "private_address",
    "Only links to ports 80 and 443 can be opened.": "other_port",
    "Links that carry a user name or a password cannot be opened.": "with_password",
    "That link leads from one address to the next too many times.": "too_many_redirects",
    "The address of the file could not be reached.": "unreachable",
    "The address of the file has no valid certificate, so its answer cannot be trusted.": "unsafe_connection",
    "The file took too long to arrive.": "too_slow",
    "The connection ended before the whole file was there.": "cut_off",
    "The other side does not let the portal read that file.": "not_allowed",
    "There is no file at that address any more.": "not_there",
    "The other side has a problem right now.": "other_side_trouble",
    "The file at that address is empty.": "empty_at_address",
    "Lamina did not take the file.": "not_taken",
    "That link leads to a web page, not to a file. Open the picture itself and copy its address.": "link_to_web_page",
    "The address answered with a web page instead of the file.": "web_page_instead",
    "The address sent an answer that can't be read.": "unreadable_answer",
    "The file could not be fetched within 24 hours.": "not_within_a_day",
    "This picture is broken or cut off, so it cannot be used.": "broken_picture",
    "This picture has over 70 million pixels, more than the portal can open.": "too_many_points",
    "This picture would keep the portal busy for too long, so it is not opened.": "too_many_scans",
    "Photos in the HEIC format cannot be used here. Save it as JPEG or PNG and choose that file.": "heic",
    "That file is neither a picture nor a video nor a sound, so it cannot be used here.": "no_media",
    "There is no room left on the portal's disk, so the file could not be kept. An administrator can make room.": (
        "disk_full"
    ),
    "The portal could not keep the file just now. Try it again in a moment.": "disk_trouble",
    "The place where the portal keeps its files cannot be reached just now. Try it again in a moment.": "storage_away",
    "The file is not ready yet.": "file_not_ready",
    "The file is no longer in the portal's storage. Choose it again.": "file_lost",
    "Lamina gave no address for the file.": "no_upload_address",
    "The file is missing from the portal's storage.": "copy_source_lost",
    "Something went wrong while making the copy.": "copy_failed",
    "Nothing came back for this one.": "nothing_came",
    "Lamina answered with the id of another run.": "another_run",
    "The portal was interrupted while it handed this run over.": "interrupted",
    "Lamina refused to send this app's form.": "form_refused",
    "Lamina refused the list of apps.": "list_refused",
    "Lamina did not send the list of apps in time.": "list_late",
    "Lamina's list of apps could not be read.": "list_unreadable",
    "A delivery named another run than the one its address belongs to.": "webhook_for_another_run",
    "The worker gave no sign of life for a while; it was started again.": "worker_hung",
}


def _bytes(number, unit):
    return round(float(number) * UNITS[unit])


def _moment(text):
    """Parse a time such as "05 March, 14:07:09". The year wasn't stored, so return the most recent match."""
    now = timezone.localtime()
    for year in (now.year, now.year - 1):
        try:
            found = datetime.strptime(f"{text} {year}", "%d %B, %H:%M:%S %Y").replace(tzinfo=now.tzinfo)
        except ValueError:
            continue
        if found <= now:
            return int(found.timestamp())
    return None


KINDS = {"a picture": "image", "a video": "video", "a sound": "audio", "something else": "other"}
PATTERNS = [
    (
        rf"That file is larger than the limit of {SIZE}\.",
        lambda m: {"code": "too_large_to_fetch", "limit_bytes": _bytes(m[1], m[2])},
    ),
    (
        r"You have .* files here that no run has used yet: that is the limit\. .* unused for (\d+) days .*",
        lambda m: {"code": "over_quota", "limit_bytes": 5_000_000_000, "limit": 1_000, "days": int(m[1])},
    ),
    (
        r"This field takes (.+), but that file is (.+)\.",
        lambda m: {
            "code": "wrong_kind",
            "wanted_kinds": " ".join(KINDS[word] for word in m[1].split(" or ")),
            "given_kind": KINDS[m[2]],
        },
    ),
    (
        r"This app has ([\d,]+) inputs; forms here have at most (\d+)\.",
        lambda m: {"code": "too_many_inputs", "asked": int(m[1].replace(",", "")), "limit": int(m[2])},
    ),
    (
        r"This app makes ([\d,]+) results; forms here offer at most (\d+)\.",
        lambda m: {"code": "too_many_results", "made": int(m[1].replace(",", "")), "limit": int(m[2])},
    ),
    (
        r"This app's form is too large: ([\d,]+) KB of at most (\d+) KB\.",
        lambda m: {
            "code": "form_too_large",
            "size_bytes": int(m[1].replace(",", "")) * 1024,
            "limit_bytes": int(m[2]) * 1024,
        },
    ),
    (
        r"The worker (.+) ended without being asked to\.",
        lambda m: {"code": "worker_killed", "worker": m[1]},
    ),
    (
        r"The worker (.+) has given no sign of life since (.+)\.",
        lambda m: (at := _moment(m[2])) and {"code": "worker_silent", "worker": m[1], "since_at": at},
    ),
    (
        r"The worker was killed by (\w+); it was started again\.",
        lambda m: {"code": "worker_signalled", "signal": m[1]},
    ),
    (
        r"The worker ended with code (\d+); it was started again\.",
        lambda m: {"code": "worker_exited", "exit_code": int(m[1])},
    ),
    (
        r"Lamina gave status (\d+) for “(.+)”\.",
        lambda m: {"code": "lamina_status", "endpoint": m[2], "status": m[1]},
    ),
    (r"Lamina gave no answer for “(.+)”\.", lambda m: {"code": "lamina_no_answer", "endpoint": m[1]}),
    (
        r"A result of run (\w+) could not be saved: (.+)",
        lambda m: {"code": "result_not_saved", "run": m[1], "reason_message": coded(m[2])},
    ),
    (
        r"Run (\w+) was started a second time at Lamina; that one was cancelled\.",
        lambda m: {"code": "second_start_cancelled", "run": m[1]},
    ),
    (
        r"Run (\w+) was started a second time at Lamina; that one could not be cancelled\. It is called (.+) there\.",
        lambda m: {"code": "second_start_goes_on", "run": m[1], "remote": m[2]},
    ),
    (
        r"The storage holds (\d+) old files that the database does not know, and (\d+) that it knows\. .*",
        lambda m: {"code": "many_strays", "strays": int(m[1]), "known": int(m[2])},
    ),
]
COLUMNS = [
    ("Upload", "error"),
    ("OutputFile", "error"),
    ("Output", "error"),
    ("GuestCopy", "error"),
    ("Run", "failure_text"),
    ("App", "form_problem"),
    ("Incident", "text"),
]


def coded(sentence):
    """Return the text to store for `sentence`: a code with values, or the sentence itself if it isn't one of ours."""
    values = {"code": PLAIN[sentence]} if sentence in PLAIN else None
    for pattern, read in PATTERNS if values is None else ():
        if found := re.fullmatch(pattern, sentence, re.DOTALL):
            try:
                values = read(found)
            except (KeyError, ValueError):
                values = None
            break
    if values is None and sentence.startswith("{"):  # someone else's JSON, which must not be read as one of our codes
        values = {"quote": sentence}
    return json.dumps(values, ensure_ascii=False) if values else sentence


def code_sentences(apps, schema_editor):
    for model_name, column in COLUMNS:
        model = apps.get_model("runs", model_name)
        length = model._meta.get_field(column).max_length
        rows = model.objects.exclude(**{column: ""})
        # Convert each distinct sentence only once, because there are only a few of them.
        for sentence in rows.order_by().values_list(column, flat=True).distinct().iterator():
            stored = coded(sentence)
            if stored != sentence and (length is None or len(stored) <= length):
                model.objects.filter(**{column: sentence}).update(**{column: stored})
    code_field_errors(apps.get_model("runs", "Run"))


def code_field_errors(run_model):
    """Convert the messages about single inputs: Lamina's own, or ours about a file."""
    for pk, errors in run_model.objects.exclude(field_errors=[]).values_list("pk", "field_errors").iterator():
        fresh = [{**error, "message": coded(error.get("message", ""))} for error in errors]
        if fresh != errors:
            run_model.objects.filter(pk=pk).update(field_errors=fresh)


class Migration(migrations.Migration):
    dependencies = [("runs", "0023_member_language")]

    operations = [migrations.RunPython(code_sentences, migrations.RunPython.noop)]
