"""The guests of a link: who has answered or commented there, and under which name others see them."""

from runs.models import Guest, GuestLink
from runs.models.guest import NAME_LENGTH
from runs.words.fold import fold


def key_of(name: str) -> str:
    """Return a name in folded form, for comparison."""
    return (fold(name).strip() or name)[:NAME_LENGTH]


def guest_called(link: GuestLink, name: str) -> Guest | None:
    """Return the guest of `link` who goes by `name`, even if it's typed differently, such as "KIM " for Kim."""
    return Guest.objects.filter(link=link, key=key_of(name), is_known_by_name=True).first() if name else None


def admit(link: GuestLink, name: str) -> Guest:
    """Return the guest of `link` who goes by `name`, creating the row if this is their first answer. `link` must be
    locked."""
    new = {"name": name, "shown_name": name}
    return Guest.objects.get_or_create(link=link, key=key_of(name), is_known_by_name=True, defaults=new)[0]
