"""File sizes as shown to people."""

from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.words.numbers import number_words

MB = 1000 * 1000
GB = 1000 * MB
TB = 1000 * GB


def size_words(size_bytes: int) -> str:
    """Return a size such as "12.3 MB" for 12,300,000 bytes."""
    if size_bytes >= TB:
        return _("%(number)s TB") % {"number": _rounded(size_bytes / TB)}
    if size_bytes >= GB:
        return _("%(number)s GB") % {"number": _rounded(size_bytes / GB)}
    if size_bytes >= MB:
        return _("%(number)s MB") % {"number": _rounded(size_bytes / MB)}
    return filesizeformat(size_bytes).replace("\xa0", " ")


def files_words(count: int, size_bytes: int) -> str:
    """Return a number of files and their size, such as "412 files, 3.1 GB"; empty if there are no files.

    Without a size, return only their number: texts become files only in a zip, so we don't know how large they are.
    """
    if not count:
        return ""
    if not size_bytes:
        return ngettext("%(count)s file", "%(count)s files", count) % {"count": number_words(count)}
    words = ngettext("%(count)s file, %(size)s", "%(count)s files, %(size)s", count)
    return words % {"count": number_words(count), "size": size_words(size_bytes)}


def _rounded(number: float) -> str:
    return number_format(f"{number:.1f}".removesuffix(".0"), use_l10n=True)
