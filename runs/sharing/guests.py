"""The guest's side of a link: which one it is, whether it opens, what it shows, and who has looked.

Everything is asked anew at each request, for files too, so that a revoked link is dead at the next one. Guests have no
account, no cookie and no script; what proves that they know the passphrase is a signed value that travels in the form
and in the addresses of the files, holds for twelve hours, and dies with the passphrase.
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

MAX_UNKNOWN = 60  # addresses of links that are none, from one place in ten minutes
MAX_WRONG = 10  # passphrases for one link from one place
MAX_WRONG_OF_ALL = 100  # and from everywhere
PROOF_SALT = "runs.guest-proof"
PROOF_AGE = timedelta(hours=12)
ROBOTS = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|scan|monitor|headless|lighthouse|validator|embed|fetch|facebookexternalhit"
    r"|whatsapp|telegram|slack|discord|skype|teams|google-|bing|yandex|baidu|archiver|curl|wget|python|java/|go-http",
    re.IGNORECASE,
)


class State(StrEnum):
    """What a link that exists is at just now."""

    OPEN = "open"
    REVOKED = "revoked"
    EXPIRED = "expired"
    OFF = "off"  # admins allow no guests


def find_link(token: str) -> GuestLink | None:
    """The link TOKEN opens, in whatever state."""
    return secret_links.find(GuestLink.objects.select_related("member"), token)


def state_of(link: GuestLink, rules: SharingRules) -> State:
    if link.revoked_at is not None:
        return State.REVOKED
    if link.expires_at <= timezone.now():
        return State.EXPIRED
    return State.OPEN if rules.guests_allowed else State.OFF


# --- Guessing ---------------------------------------------------------------------------------------------------------
def record_unknown(request: HttpRequest) -> bool:
    """An address came that is none; False when too many of them came from there.

    Real links go on to open from there: no stranger in the same house may keep guests out, and the tokens are too long
    to be guessed anyhow.
    """
    try:
        Attempt({f"guest:{address_of(request)}": MAX_UNKNOWN})
    except TooManyError:
        return False
    return True


# --- Passphrase -------------------------------------------------------------------------------------------------------
def proof_of(link: GuestLink) -> str:
    """What somebody who knows the passphrase carries along; empty for a link without one."""
    return signing.TimestampSigner(salt=PROOF_SALT).sign(_proven(link)) if link.passphrase else ""


def is_proven(link: GuestLink, proof: str) -> bool:
    """True when LINK has no passphrase, or PROOF shows that it was given."""
    if not link.passphrase:
        return True
    try:
        return signing.TimestampSigner(salt=PROOF_SALT).unsign(proof, max_age=PROOF_AGE) == _proven(link)
    except signing.BadSignature:
        return False


def _proven(link: GuestLink) -> str:
    return f"{link.public_id}.{secret_links.hash_of(link.passphrase)[:16]}"


def is_right_passphrase(request: HttpRequest, link: GuestLink, typed: str) -> bool:
    """Whether TYPED is it. Raises `TooManyError`, before anybody looks at it, when many wrong ones came."""
    this = f"passphrase:{link.public_id}"
    attempt = Attempt({f"{this}:{address_of(request)}": MAX_WRONG, this: MAX_WRONG_OF_ALL})
    if not check_password(typed.strip(), link.passphrase):
        return False
    attempt.forgive_first()
    return True


# --- What it shows ----------------------------------------------------------------------------------------------------
def outputs_of(link: GuestLink) -> list[Output]:
    """What LINK shows, in its order: results that are still there."""
    kept = Prefetch("files", OutputFile.objects.filter(status="saved").select_related("file__guest_copy__file"))
    return list(_shown(link).select_related("run").prefetch_related(kept))


def _shown(link: GuestLink) -> QuerySet[Output]:
    saved = OutputFile.objects.filter(output=OuterRef("pk"), status="saved")
    there = Output.objects.filter(~Q(text="") | Exists(saved), status=Output.Status.COMPLETED, run__deleted_at=None)
    place = GuestLinkOutput.objects.filter(link=link, output=OuterRef("pk")).values("position")
    return there.filter(guest_links=link).order_by(Subquery(place))


def runs_with_inputs(outputs: list[Output]) -> list[Run]:
    """The runs OUTPUTS come from, each once, with what went in."""
    links = Prefetch("links", RunInputUpload.objects.select_related("upload__file"))
    inputs = Prefetch("inputs", RunInput.objects.prefetch_related(links))
    order = list(dict.fromkeys(output.run_id for output in outputs))
    runs = Run.objects.filter(pk__in=order).prefetch_related(inputs).in_bulk()
    return [runs[pk] for pk in order]


@dataclass(frozen=True)
class Found:
    """A file of a link, and its name for guests. Of inputs they get only small pictures."""

    stored: StoredFile
    name: str
    is_result: bool = False


def file_of(link: GuestLink, file_id: str) -> Found | None:
    """The file of that name, if LINK shows it: of its results, and of what went in where the sender says so."""
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


# --- Looks ------------------------------------------------------------------------------------------------------------
def count_look(request: HttpRequest, link: GuestLink) -> None:
    """Somebody looks at LINK: counted when it is a person, once in ten minutes from one place and browser. They see it
    all the same when it cannot be written down, because the disk is full for instance."""
    if not is_person(request):
        return
    with suppress(DatabaseError):
        _count(request, link)


def _count(request: HttpRequest, link: GuestLink) -> None:
    try:
        Attempt({f"look:{link.public_id}:{address_of(request)}:{request.headers.get('User-Agent', '')}": 1})
        more = 1
    except TooManyError:
        more = 0  # a reload is the same look
    GuestLink.objects.filter(pk=link.pk).update(viewed_at=timezone.now(), views=F("views") + more)


def is_person(request: HttpRequest) -> bool:
    """True for a browser that shows the page to somebody outside: no prefetch, no robot, no member of the team."""
    headers = request.headers
    if request.method == "HEAD" or any(headers.get(name) for name in ("Sec-Purpose", "Purpose", "X-Moz", "X-Purpose")):
        return False
    if headers.get("Sec-Fetch-Dest", "document") not in ("document", "iframe"):
        return False
    browser = headers.get("User-Agent", "")
    return browser.startswith("Mozilla/") and not ROBOTS.search(browser) and not request.user.is_authenticated
