"""The guest side of a link: find the link, check that it is open, list its results, and count views.

The link is checked again on every request, even for files, so a revoked link stops working at once. Guests have no
account, cookies or scripts. A signed field in the page's form proves that the guest knows the passphrase. It is never
in the page's address, so whoever copies that address doesn't pass on the proof. The address of each file has a proof of
its own, which opens nothing else. Proofs are valid for twelve hours, unless the passphrase changes before then.
"""

import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.contrib.auth.hashers import check_password
from django.core import signing
from django.db import DatabaseError
from django.db.models import Count, F, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from runs.audit.actors import as_guest
from runs.audit.record import FEW_FILES, record
from runs.models import (
    Guest,
    GuestLink,
    GuestLinkOutput,
    Output,
    OutputFile,
    Run,
    RunInput,
    SharingRules,
    StoredFile,
    Verb,
)
from runs.models.run import RunInputUpload
from runs.sharing import guest_identity
from runs.sharing.guest_names import input_name, labels_of, result_name
from runs.web import secret_links
from runs.web.throttling import Attempt, TooManyError, address_of
from runs.words import file_names
from runs.words.file_names import Stem, ending_of

MAX_UNKNOWN = 60  # requests for unknown links from one IP address, in ten minutes
MAX_WRONG = 10  # wrong passphrases, or wrong codes, for one link from one IP address, in ten minutes
MAX_WRONG_OF_ALL = 100  # the same from all IP addresses combined
MAX_ANSWERS = 200  # answers sent through one link from one IP address, in ten minutes
MAX_ANSWERS_OF_ALL = 2_000  # answers sent through one link from all IP addresses combined, in ten minutes
PER_PAGE = 48  # results on one page
PROOF_SALT = "runs.guest-passphrase"
FILE_SALT = "runs.guest-file"
PROOF_AGE = timedelta(hours=12)
ROBOTS = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|scan|monitor|headless|lighthouse|validator|embed|fetch|facebookexternalhit"
    r"|whatsapp|telegram|slack|discord|skype|teams|google-|bing|yandex|baidu|archiver|curl|wget|python|java/|go-http",
    re.IGNORECASE,
)


class LinkState(StrEnum):
    """The state of an existing link."""

    OPEN = "open"
    REVOKED = "revoked"
    EXPIRED = "expired"
    OFF = "off"  # an admin has turned off guest links


def find_link(token: str) -> GuestLink | None:
    """Return the link for `token`, whatever its state; None if there isn't one."""
    return secret_links.find(GuestLink.objects.select_related("member"), token)


def state_of(link: GuestLink, rules: SharingRules) -> LinkState:
    if link.is_open(rules):
        return LinkState.OPEN
    if link.revoked_at is not None:
        return LinkState.REVOKED
    return LinkState.OFF if link.is_alive() else LinkState.EXPIRED


# --- Guessing ---------------------------------------------------------------------------------------------------------
def record_unknown(request: HttpRequest) -> bool:
    """Count a request for an unknown link; return False if too many came from the same IP address.

    Existing links can still be opened from that IP address: a stranger on the same network mustn't be able to lock
    guests out, and tokens are too long to guess anyway.
    """
    try:
        Attempt({f"guest:{address_of(request)}": MAX_UNKNOWN})
    except TooManyError:
        return False
    return True


# --- Passphrase -------------------------------------------------------------------------------------------------------
def proof_of(link: GuestLink) -> str:
    """Return proof that the passphrase was entered; empty if the link has no passphrase."""
    return signing.TimestampSigner(salt=PROOF_SALT).sign(_proven(link)) if link.passphrase else ""


def is_proven(link: GuestLink, proof: str) -> bool:
    """Return whether `link` has no passphrase or `proof`, from a form, shows that the passphrase was entered."""
    return not link.passphrase or _is_signed(PROOF_SALT, proof, _proven(link))


def file_proof_of(link: GuestLink, public_id: str) -> str:
    """Return proof that opens the file (or the result's text) with this id and nothing else; empty if the link has no
    passphrase."""
    if not link.passphrase:
        return ""
    opened = f"{_proven(link)}.{public_id}"
    return signing.TimestampSigner(salt=FILE_SALT).sign(opened).removeprefix(f"{opened}:")


def is_file_proven(link: GuestLink, public_id: str, proof: str) -> bool:
    """Return whether `link` has no passphrase or `proof`, from the file's address, opens it."""
    opened = f"{_proven(link)}.{public_id}"
    return not link.passphrase or _is_signed(FILE_SALT, f"{opened}:{proof}", opened)


def _is_signed(salt: str, proof: str, proven: str) -> bool:
    try:
        return signing.TimestampSigner(salt=salt).unsign(proof, max_age=PROOF_AGE) == proven
    except signing.BadSignature:
        return False


def _proven(link: GuestLink) -> str:
    return f"{link.public_id}.{secret_links.hash_of(link.passphrase)[:16]}"


def is_right_passphrase(request: HttpRequest, link: GuestLink, passphrase: str) -> bool:
    """Return whether `passphrase` is the right one. Raises `TooManyError` after too many wrong attempts."""
    this = f"passphrase:{link.public_id}"
    attempt = Attempt({f"{this}:{address_of(request)}": MAX_WRONG, this: MAX_WRONG_OF_ALL})
    if not check_password(passphrase.strip(), link.passphrase):
        return False
    attempt.forgive_first()
    return True


def guest_with_code(request: HttpRequest, link: GuestLink, code: str) -> Guest | None:
    """Return the guest whose code is `code`. Raises `TooManyError` after too many wrong attempts."""
    this = f"guest-code:{link.public_id}"
    attempt = Attempt({f"{this}:{address_of(request)}": MAX_WRONG, this: MAX_WRONG_OF_ALL})
    guest = guest_identity.find_by_code(link, code)
    if guest is not None:
        attempt.forgive_first()
    return guest


def record_answer(request: HttpRequest, link: GuestLink) -> bool:
    """Count an answer sent through `link`; return False if there have been too many, from this IP address or in
    total."""
    this = f"answer:{link.public_id}"
    try:
        Attempt({f"{this}:{address_of(request)}": MAX_ANSWERS, this: MAX_ANSWERS_OF_ALL})
    except TooManyError:
        return False
    return True


# --- What a link shows ------------------------------------------------------------------------------------------------
def outputs_of(link: GuestLink, only: Collection[int] | None = None) -> list[Output]:
    """Return the results that `link` shows and that still exist, in the link's order. If `only` is given, return just
    those with these primary keys."""
    files = Prefetch("files", OutputFile.objects.filter(status="saved").select_related("file__guest_copy__file"))
    outputs = _link_outputs(link) if only is None else _link_outputs(link).filter(pk__in=only)
    return list(outputs.select_related("run").prefetch_related(files))


def named_outputs(link: GuestLink) -> dict[Output, str]:
    """Return all results that `link` shows, in order, with their names. Doesn't load the results' files, because there
    may be many."""
    outputs = list(_link_outputs(link).only("public_id", "label", "kind", "run_id"))
    return dict(zip(outputs, labels_of(outputs), strict=True))


def page_with(number: int) -> int:
    """Return the number of the page that result `number` is on."""
    return (number - 1) // PER_PAGE + 1


def shown_output(link: GuestLink, public_id: str) -> Output | None:
    """Return the result with this id, loaded the way `outputs_of` does it; None if `link` doesn't show it."""
    ids = _link_outputs(link).filter(public_id=public_id).values_list("pk", flat=True)
    return next(iter(outputs_of(link, list(ids))), None)


def preview_of(link: GuestLink) -> StoredFile | None:
    """Return the first file that has a thumbnail, for chat tools that show previews of links."""
    files = OutputFile.objects.filter(status="saved").exclude(file__thumb_1200="").order_by("position")
    first = _link_outputs(link).annotate(picture=Subquery(files.filter(output=OuterRef("pk")).values("file")[:1]))
    pictures = first.exclude(picture=None).values_list("picture", flat=True)[:1]
    return StoredFile.objects.filter(pk__in=list(pictures)).first()


def size_of(link: GuestLink) -> tuple[int, int]:
    """Return the number and total size (in bytes) of the files in a full download."""
    outputs = Output.objects.filter(pk__in=_link_outputs(link).order_by().values("pk"))
    files = OutputFile.objects.filter(output__in=outputs, status="saved")
    size = Coalesce("file__guest_copy__file__size_bytes", "file__size_bytes")
    sums = files.aggregate(files=Count("pk"), size=Sum(size))
    return sums["files"] + outputs.exclude(text="").count(), sums["size"] or 0


def record_download(link: GuestLink) -> None:
    """Record that a guest is downloading all of the link's files, unless there are only a few."""
    if (count := size_of(link)[0]) > FEW_FILES:
        record(Verb.RESULTS_DOWNLOADED, link, changes={"files": (0, count)}, actor=as_guest(""))


def _link_outputs(link: GuestLink) -> QuerySet[Output]:
    there = Output.objects.with_content().filter(run__deleted_at=None)
    place = GuestLinkOutput.objects.filter(link=link, output=OuterRef("pk")).values("position")
    return there.filter(guest_links=link).order_by(Subquery(place))


def runs_with_inputs(outputs: list[Output]) -> list[Run]:
    """Return the runs that made `outputs`, without duplicates, loaded with their inputs."""
    links = Prefetch("links", RunInputUpload.objects.select_related("upload__file"))
    inputs = Prefetch("inputs", RunInput.objects.filter(is_hidden=False).prefetch_related(links))
    order = list(dict.fromkeys(output.run_id for output in outputs))
    runs = Run.objects.filter(pk__in=order).prefetch_related(inputs).in_bulk()
    return [runs[pk] for pk in order]


def app_names(outputs: Iterable[Output]) -> list[str]:
    """Return the names of the apps that made `outputs`, without duplicates, in the order of the results."""
    order = [output.run_id for output in outputs]
    names = dict(Run.objects.filter(pk__in=set(order)).values_list("pk", "app_name"))
    return list(dict.fromkeys(names[pk] for pk in order))


@dataclass(frozen=True)
class LinkFile:
    """A file that a link shows, and its name for guests. For input files, guests only get thumbnails."""

    stored: StoredFile
    name: str
    is_result: bool = False


def file_of(link: GuestLink, file_id: str, *, is_named: bool = True) -> LinkFile | None:
    """Return the file with this id if `link` shows it: a result, or an input if the sender chose to show inputs.

    Without `is_named`, don't look up the result's name, because thumbnails don't need it and a page has many of them.
    """
    is_shown = Q(output__guest_links=link, output__status="completed", output__run__deleted_at=None, status="saved")
    result = (
        OutputFile.objects.filter(is_shown, file__public_id=file_id).select_related("file__guest_copy__file").first()
    )
    if result is not None and result.file is not None:
        name = _name_of(link, result, result.file) if is_named else f"{_('Shared')}.{ending_of(result.file)}"
        return LinkFile(result.file, name, is_result=True)
    if not link.shows_inputs:
        return None
    runs = Run.objects.filter(outputs__guest_links=link, deleted_at=None)
    inputs = RunInputUpload.objects.filter(input__run__in=runs, input__is_hidden=False)
    used = inputs.filter(upload__file__public_id=file_id)
    input_upload = used.select_related("upload__file", "input__run").first()
    if input_upload is None or input_upload.upload.file is None:
        return None
    return LinkFile(
        input_upload.upload.file, input_name(input_upload.input, input_upload.position, input_upload.upload.file)
    )


def stems_by_result(link: GuestLink) -> dict[int, list[Stem]]:
    """Return the file name stems of all results that `link` shows, keyed by the results' primary keys, without loading
    the files."""
    files = OutputFile.objects.filter(output=OuterRef("pk"), status="saved").order_by("-position")
    last = Coalesce(Subquery(files.values("position")[:1]), 0)
    rows = _link_outputs(link).values_list("pk", "label", "run__app_name", "run__created_at", last + 1)
    names = {pk: result_name(link, *values) for pk, *values in rows}
    return dict(zip(names, file_names.stems_of(names.values()), strict=True))


def _name_of(link: GuestLink, output_file: OutputFile, stored: StoredFile) -> str:
    """Return the name of a result's file. It depends on the other results in `link`, because names must be unique."""
    return stems_by_result(link)[output_file.output_id][output_file.position].named(ending_of(stored))


# --- Views ------------------------------------------------------------------------------------------------------------
def count_view(request: HttpRequest, link: GuestLink) -> None:
    """Count a view of `link`, at most once every ten minutes for the same IP address and browser.

    If the count can't be saved, for example because the disk is full, the page is shown anyway.
    """
    if not is_person(request):
        return
    with suppress(DatabaseError):
        _count(request, link)


def _count(request: HttpRequest, link: GuestLink) -> None:
    try:
        Attempt({f"look:{link.public_id}:{address_of(request)}:{request.headers.get('User-Agent', '')}": 1})
        more = 1
    except TooManyError:
        more = 0  # a reload counts as the same view
    GuestLink.objects.filter(pk=link.pk).update(viewed_at=timezone.now(), views=F("views") + more)


def is_person(request: HttpRequest) -> bool:
    """Return whether the page is being viewed by a person outside the team. Prefetches, bots and members don't
    count."""
    headers = request.headers
    if request.method == "HEAD" or any(headers.get(name) for name in ("Sec-Purpose", "Purpose", "X-Moz", "X-Purpose")):
        return False
    if headers.get("Sec-Fetch-Dest", "document") not in ("document", "iframe"):
        return False
    browser = headers.get("User-Agent", "")
    return browser.startswith("Mozilla/") and not ROBOTS.search(browser) and not request.user.is_authenticated
