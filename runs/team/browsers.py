"""Readable names for browsers, such as "Firefox on Windows", based on their user agents."""

from django.utils.translation import gettext as _

BROWSERS = (  # the first match wins: most browsers also claim to be Safari and Chrome
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
SOME = "Browser"  # stored for browsers that aren't in the list


def browser_of(user_agent: str) -> str:
    """Return the browser's name as we store it, untranslated, such as "Firefox on Windows", "Browser on Mac", "Chrome"
    or ""."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return f"{browser or SOME} on {system}" if system else browser


def browser_words(stored: str) -> str:
    """Return a stored browser name in the active language, such as "Firefox on Windows" or "Unknown browser"."""
    browser, on, system = stored.partition(" on ")
    if on and browser == SOME:
        return _("Browser on %(system)s") % {"system": system}
    if on:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return _("Unknown browser") if browser in ("", "Unknown browser") else browser
