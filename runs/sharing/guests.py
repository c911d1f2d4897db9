"""The guest side of a link: find it, check that it is open, list what it shows, and count views.

Every request checks the link again, even requests for files, so a revoked link stops working at once. Guests have no
account, cookies or scripts. A signed value in the URLs of the page and its files proves that they know the passphrase.
It is valid for twelve hours, or until the passphrase changes.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.contrib.auth.hashers import check_password
from django.core import signing
from django.db import DatabaseError
from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone

from runs.models import GuestLink, GuestLinkOutput, Output, OutputFile, Run, RunInput, SharingRules, StoredFile
from runs.models.run import RunInputUpload
from runs.sharing.guest_names import file_name, labels_of
from runs.web import secret_links
from runs.web.throttling import Attempt, TooManyError, address_of

MAX_UNKNOWN = 60  # requests for unknown links from one address in ten minutes
MAX_WRONG = 10  # wrong passphrases for one link from one address
MAX_WRONG_OF_ALL = 100  # wrong passphrases for one link from all addresses
PROOF_SALT = "runs.guest-proof"
PROOF_AGE = timedelta(hours=12)
ROBOTS = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|scan|monitor|headless|lighthouse|validator|embed|fetch|facebookexternalhit"
    r"|whatsapp|telegram|slack|discord|skype|teams|google-|bing|yandex|baidu|archiver|curl|wget|python|java/|go-http",
    re.IGNORECASE,
)


class State(StrEnum):
    """State of an existing link."""

    OPEN = "open"
    REVOKED = "revoked"
    EXPIRED = "expired"
    OFF = "off"  # admins have turned off guest links


def find_link(token: str) -> GuestLink | None:
    """Return the link for `token`, in any state."""
    return secret_links.find(GuestLink.objects.select_related("member"), token)


def state_of(link: GuestLink, rules: SharingRules) -> State:
    if link.revoked_at is not None:
        return State.REVOKED
    if link.expires_at <= timezone.now():
        return State.EXPIRED
    return State.OPEN if rules.guests_allowed else State.OFF


# --- Guessing ---------------------------------------------------------------------------------------------------------
def record_unknown(request: HttpRequest) -> bool:
    """Count a request for an unknown link; return False if too many came from the same address.

    Real links still open from that address: a stranger on the same network must not lock guests out, and tokens are too
    long to guess anyway.
    """
    try:
        Attempt({f"guest:{address_of(request)}": MAX_UNKNOWN})
    except TooManyError:
        return False
    return True


# --- Passphrase -------------------------------------------------------------------------------------------------------
def proof_of(link: GuestLink) -> str:
    """Return proof that the passphrase was given; empty if the link has no passphrase."""
    return signing.TimestampSigner(salt=PROOF_SALT).sign(_proven(link)) if link.passphrase else ""


def is_proven(link: GuestLink, proof: str) -> bool:
    """Return whether `link` has no passphrase or `proof` shows that it was given."""
    if not link.passphrase:
        return True
    try:
        return signing.TimestampSigner(salt=PROOF_SALT).unsign(proof, max_age=PROOF_AGE) == _proven(link)
    except signing.BadSignature:
        return False


def _proven(link: GuestLink) -> str:
    return f"{link.public_id}.{secret_links.hash_of(link.passphrase)[:16]}"


def is_right_passphrase(request: HttpRequest, link: GuestLink, typed: str) -> bool:
    """Return whether `typed` is the passphrase. Raises `TooManyError` without checking it after too many wrong
    attempts."""
    this = f"passphrase:{link.public_id}"
    attempt = Attempt({f"{this}:{address_of(request)}": MAX_WRONG, this: MAX_WRONG_OF_ALL})
    if not check_password(typed.strip(), link.passphrase):
        return False
    attempt.forgive_first()
    return True


# --- What a link shows ------------------------------------------------------------------------------------------------
def outputs_of(link: GuestLink) -> list[Output]:
    """Return the results that `link` shows and that still exist, in the link's order."""
    kept = Prefetch("files", OutputFile.objects.filter(status="saved").select_related("file__guest_copy__file"))
    return list(_shown(link).select_related("run").prefetch_related(kept))


def _shown(link: GuestLink) -> QuerySet[Output]:
    saved = OutputFile.objects.filter(output=OuterRef("pk"), status="saved")
    there = Output.objects.filter(~Q(text="") | Exists(saved), status=Output.Status.COMPLETED, run__deleted_at=None)
    place = GuestLinkOutput.objects.filter(link=link, output=OuterRef("pk")).values("position")
    return there.filter(guest_links=link).order_by(Subquery(place))


def runs_with_inputs(outputs: list[Output]) -> list[Run]:
    """Return the runs that made `outputs`, without duplicates, with their inputs."""
    links = Prefetch("links", RunInputUpload.objects.select_related("upload__file"))
    inputs = Prefetch("inputs", RunInput.objects.prefetch_related(links))
    order = list(dict.fromkeys(output.run_id for output in outputs))
    runs = Run.objects.filter(pk__in=order).prefetch_related(inputs).in_bulk()
    return [runs[pk] for pk in order]


@dataclass(frozen=True)
class Found:
    """A file in a link, and its name for guests. For input files, guests only get small pictures."""

    stored: StoredFile
    name: str
    is_result: bool = False


def file_of(link: GuestLink, file_id: str) -> Found | None:
    """Return the file with this id if `link` shows it: a result, or an input if the sender chose to show inputs."""
    shown = Q(output__guest_links=link, output__status="completed", output__run__deleted_at=None, status="saved")
    result = OutputFile.objects.filter(shown, file__public_id=file_id).select_related("file__guest_copy__file").first()
    if result is not None and result.file is not None:
        outputs = list(_shown(link).only("label"))
        labels = dict(zip([output.pk for output in outputs], labels_of(outputs), strict=True))
        return Found(result.file, file_name(labels[result.output_id], result.position, result.file), is_result=True)
    if not link.shows_inputs:
        return None
    runs = Run.objects.filter(outputs__guest_links=link, deleted_at=None)
    used = RunInputUpload.objects.filter(input__run__in=runs, upload__file__public_id=file_id)
    given = used.select_related("upload__file", "input").first()
    if given is None or given.upload.file is None:
        return None
    return Found(given.upload.file, file_name(given.input.name, given.position, given.upload.file))


# --- Views ------------------------------------------------------------------------------------------------------------
def count_view(request: HttpRequest, link: GuestLink) -> None:
    """Count someone's view of `link`, at most once in ten minutes for the same address and browser.

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
    """Return whether the page is viewed in a browser by someone outside the team, not by a prefetch, bot or member."""
    headers = request.headers
    if request.method == "HEAD" or any(headers.get(name) for name in ("Sec-Purpose", "Purpose", "X-Moz", "X-Purpose")):
        return False
    if headers.get("Sec-Fetch-Dest", "document") not in ("document", "iframe"):
        return False
    browser = headers.get("User-Agent", "")
    return browser.startswith("Mozilla/") and not ROBOTS.search(browser) and not request.user.is_authenticated
