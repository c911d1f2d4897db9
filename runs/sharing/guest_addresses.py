"""URLs of the guest page, its files and its buttons, and the hidden fields of its forms.

Other sites keep in cookies who someone is and that they entered the passphrase. Here, forms carry this in hidden
fields, so that nobody passes it on with an address. Only the link in a guest's email says who they are.
"""

from urllib.parse import urlencode

from django.urls import reverse

from runs.models import Guest, GuestLink, Output, StoredFile
from runs.sharing import guest_fields, guests


class Addresses:
    """URLs of a link's page, its buttons and its files."""

    def __init__(self, link: GuestLink, token: str) -> None:
        self.link = link
        self.token = token

    def file(self, stored: StoredFile, variant: str, *, is_download: bool = False) -> str:
        path = reverse("runs:guest-file", args=[self.token, stored.public_id, variant])
        return self._proving(path, stored.public_id, {"download": "1"} if is_download else {})

    def text(self, output: Output) -> str:
        return self._proving(reverse("runs:guest-text", args=[self.token, output.public_id]), output.public_id, {})

    def all_files(self) -> str:
        return reverse("runs:guest-download", args=[self.token])

    def page(self) -> str:
        return reverse("runs:guest", args=[self.token])

    def page_in_email(self, guest: Guest, number: int, place: str) -> str:
        """Return the URL of page `number`, for an email to `guest`, that scrolls to `place`, even after asking for the
        passphrase. The page asks whether it's them, because emails are forwarded."""
        values = {"n": guest_fields.signed(guest), "page": str(number) if number > 1 else "", "at": place}
        query = urlencode({name: value for name, value in values.items() if value}, safe=":")
        return f"{self.page()}?{query}" + (f"#{place}" if place else "")

    def decide(self, place: str) -> str:
        """Return the URL that a result's buttons send an answer to; the response scrolls to `place`."""
        return f"{reverse('runs:guest-decide', args=[self.token])}#{place}"

    def comment(self, place: str) -> str:
        """Return the URL that a result's buttons send a comment to; the response scrolls to `place`."""
        return f"{reverse('runs:guest-comment', args=[self.token])}#{place}"

    def _proving(self, path: str, public_id: str, values: dict[str, str]) -> str:
        """Return a URL with proof that opens only the file or result with this id."""
        proof = guests.file_proof_of(self.link, public_id)
        query = urlencode(({"p": proof} if proof else {}) | values, safe=":")
        return f"{path}?{query}" if query else path


def hidden_fields(link: GuestLink, guest: Guest | None, addressee: Guest | None, page: int) -> list[tuple[str, str]]:
    """Return the names and values of the fields that every form on page number `page` has. `guest` is who is viewing
    it, and `addressee` who the email was for that they opened, as long as they haven't said that it's them."""
    fields = {
        "opened": guest_fields.opened_now(link),
        "p": guests.proof_of(link),
        "n": guest_fields.signed(guest),
        "offer": guest_fields.signed(addressee),
        "page": str(page) if page > 1 else "",
    }
    return [(name, value) for name, value in fields.items() if value]
