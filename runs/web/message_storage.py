"""What the next page says once ("Saved."): stored in a cookie that no neighbouring host can plant."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class PrefixedCookieStorage(CookieStorage):
    """Django's own, with the prefix of the portal's other cookies."""

    @property
    def cookie_name(self) -> str:  # type: ignore[override]  # Django's is a plain attribute
        return f"{settings.COOKIE_PREFIX}messages"


class MessageStorage(FallbackStorage):
    """In a cookie; what doesn't fit goes in the session."""

    storage_classes = (PrefixedCookieStorage, SessionStorage)
