"""What the next page says once ("Saved."): kept in a cookie that no neighbour of this host can plant."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class PrefixedCookieStorage(CookieStorage):
    """Django's own, under a name that begins like those of the portal's other cookies."""

    @property
    def cookie_name(self) -> str:  # type: ignore[override]  # Django's is a plain attribute
        return f"{settings.COOKIE_PREFIX}messages"


class MessageStorage(FallbackStorage):
    """In a cookie, and in the session what does not fit."""

    storage_classes = (PrefixedCookieStorage, SessionStorage)
