"""URLs of the guest page, its files and its buttons.

Besides the link's token, these contain what other sites keep in cookies: proof that the passphrase was entered, and the
guest's signed name.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from runs.models import GuestLink, Output, StoredFile
from runs.sharing import guests


@dataclass(frozen=True)
class Guest:
    """The person viewing the page: the name they typed, and a signed field with that name. `name` and `signed` are
    empty until the guest enters a name. `gets_email` says whether they also gave an email address."""

    name: str = ""
    signed: str = ""
    gets_email: bool = False


NOBODY = Guest()


class Addresses:
    """URLs of a link's page and files, for someone who has entered the passphrase. Without `is_proven`, the page will
    ask for the passphrase."""

    def __init__(self, link: GuestLink, token: str, guest: Guest = NOBODY, *, is_proven: bool = True) -> None:
        self.link = link
        self.token = token
        self.guest = guest
        self.proof = guests.proof_of(link) if is_proven else ""

    def file(self, stored: StoredFile, variant: str, *, is_download: bool = False) -> str:
        path = reverse("runs:guest-file", args=[self.token, stored.public_id, variant])
        return self._with(path, {"download": "1" if is_download else ""})

    def text(self, output: Output) -> str:
        return self._with(reverse("runs:guest-text", args=[self.token, output.public_id]), {})

    def all_files(self) -> str:
        return self._with(reverse("runs:guest-download", args=[self.token]), {"n": self.guest.signed})

    def page(self, number: int = 1, *, answered: str = "", commented: str = "", place: str = "") -> str:
        """Return the URL of a page of results that scrolls to `place`; `answered` and `commented` are the ids of
        results that the guest has just answered or commented on."""
        path = reverse("runs:guest", args=[self.token])
        given = {"n": self.guest.signed, "page": str(number) if number > 1 else "", "answered": answered}
        given["commented"] = commented
        return self._with(path, given) + (f"#{place}" if place else "")

    def decide(self, number: int = 1, place: str = "") -> str:
        """Return the URL that a result's buttons send an answer to; `number` and `place` say which page to return to,
        and where on it."""
        path = reverse("runs:guest-decide", args=[self.token])
        return self._with(path, {"page": str(number) if number > 1 else ""}) + (f"#{place}" if place else "")

    def comment(self, number: int = 1, place: str = "") -> str:
        """Return the URL that a result's buttons send a comment to. Takes the same parameters as `decide`."""
        path = reverse("runs:guest-comment", args=[self.token])
        return self._with(path, {"page": str(number) if number > 1 else ""}) + (f"#{place}" if place else "")

    def _with(self, path: str, given: dict[str, str]) -> str:
        query = urlencode([(name, value) for name, value in ({"p": self.proof} | given).items() if value], safe=":")
        return f"{path}?{query}" if query else path
