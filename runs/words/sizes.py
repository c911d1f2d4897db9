"""File sizes as shown to people."""

from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _

MB = 1000 * 1000
GB = 1000 * MB


def size_words(size_bytes: int) -> str:
    """12,300,000 → "12.3 MB"."""
    if size_bytes >= GB:
        return _("%(number)s GB") % {"number": _rounded(size_bytes / GB)}
    if size_bytes >= MB:
        return _("%(number)s MB") % {"number": _rounded(size_bytes / MB)}
    return filesizeformat(size_bytes).replace("\xa0", " ")


def _rounded(number: float) -> str:
    return number_format(f"{number:.1f}".removesuffix(".0"), use_l10n=True)
