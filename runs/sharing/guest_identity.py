"""The guests of a link: who has answered or commented there, how they come back, and under which name others see them.

Everybody who answers for the first time becomes a new guest, whatever name they type.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from django.utils.crypto import constant_time_compare

from runs.models import Guest, GuestLink, SentAnswer
from runs.models.guest import NAME_LENGTH
from runs.models.ids import ALPHABET
from runs.web.secret_keys import keyed_hash, keyed_hashes
from runs.words.fold import fold

CODE_SALT = "portal.guest-code"
CODE_LENGTH = 8  # in characters, about 40 bits; guesses are limited (`guests.guest_with_code`)
RETENTION = timedelta(days=8)  # how long to remember sent answers: a day longer than pages can be answered from


@dataclass(frozen=True)
class Sender:
    """Who sends an answer: a guest we know, or someone new with the name they typed. `page_key` identifies the page
    that the answer comes from, and `digest` the answer."""

    guest: Guest | None
    name: str
    page_key: str
    digest: str


def admit(link: GuestLink, sender: Sender) -> tuple[Guest, bool]:
    """Return the guest who sends an answer, and whether this very answer is new. Somebody new becomes a guest.

    `link` must be locked, so that an answer that is sent several times at once is new only once.
    """
    before = SentAnswer.objects.filter(digest=sender.digest).select_related("guest__same_as").first()
    if before is not None:
        return _now(link, before.guest), False
    guest = sender.guest or guest_of_page(link, sender.page_key) or newcomer(link, sender.name)
    SentAnswer.objects.create(guest=guest, page_key=sender.page_key, digest=sender.digest)
    return _now(link, Guest.objects.select_related("same_as").get(pk=guest.pk)), True


def newcomer(link: GuestLink, name: str) -> Guest:
    """Create a guest called `name`. If `link` already has a guest of that name, others see "Kim (2)". `link` must be
    locked."""
    keys = {key_of(shown_name) for shown_name in link.guests.values_list("shown_name", flat=True)}
    shown_name = next(shown_name for shown_name in _numbered(name) if key_of(shown_name) not in keys)
    return Guest.objects.create(link=link, name=name, shown_name=shown_name, key=key_of(name))


def _numbered(name: str) -> Iterator[str]:
    """Yield `name`, then "name (2)", "name (3)" and so on, none longer than a name may be."""
    yield name
    for number in count(2):
        ending = f" ({number})"
        yield f"{name[: NAME_LENGTH - len(ending)]}{ending}"


def key_of(name: str) -> str:
    """Return a name in folded form, for comparison."""
    return (fold(name).strip() or name)[:NAME_LENGTH]


def guest_of_page(link: GuestLink, page_key: str) -> Guest | None:
    """Return the guest who has already answered from the page with this key. They may have gone back to it in their
    browser, where the page still doesn't know them."""
    if not page_key:
        return None
    answer = SentAnswer.objects.filter(page_key=page_key, guest__link=link).select_related("guest__same_as").first()
    return _now(link, answer.guest) if answer is not None else None


def find(link: GuestLink, public_id: str) -> Guest | None:
    """Return the guest of `link` with this id."""
    guest = link.guests.filter(public_id=public_id).select_related("same_as").first()
    return _now(link, guest) if guest is not None else None


def _now(link: GuestLink, guest: Guest) -> Guest:
    """Return `guest` or, if the link's maker said that this is somebody else, that guest."""
    guest = guest.same_as or guest
    guest.link = link
    return guest


# --- Codes ------------------------------------------------------------------------------------------------------------
def code_of(guest: Guest) -> str:
    """Return the code with which `guest` can come back, such as "k7mq-x2wd". It isn't stored."""
    return _code(keyed_hash(CODE_SALT, guest.public_id))


def find_by_code(link: GuestLink, text: str) -> Guest | None:
    """Return the guest of `link` with the code `text`, which was made with the portal's secret key or an earlier
    one."""
    code = "".join(sign for sign in text.lower() if sign in ALPHABET)
    right_code = f"{code[:4]}-{code[4:]}"
    for guest in link.guests.select_related("same_as"):
        if any(constant_time_compare(_code(key), right_code) for key in keyed_hashes(CODE_SALT, guest.public_id)):
            return _now(link, guest)
    return None


def _code(digest: bytes) -> str:
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:CODE_LENGTH])
    return f"{letters[:4]}-{letters[4:]}"


def tidy(now: datetime) -> None:
    """Forget the answers that can no longer be sent again, because the page that they came from is too old."""
    SentAnswer.objects.filter(created_at__lt=now - RETENTION).delete()
