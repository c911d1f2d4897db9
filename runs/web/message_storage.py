"""One-time messages for the next page ("Saved."), in a cookie that other subdomains can't set."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class PrefixedCookieStorage(CookieStorage):
    """Django's cookie storage, but with the name prefix that all the portal's cookies share."""

    @property
    def cookie_name(self) -> str:  # type: ignore[override]  # Django's is a plain attribute
        return f"{settings.COOKIE_PREFIX}messages"


class MessageStorage(FallbackStorage):
    """Stores messages in a cookie, or in the session if they don't fit."""

    storage_classes = (PrefixedCookieStorage, SessionStorage)
