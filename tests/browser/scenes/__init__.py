"""Every state of every page, by name: checked by axe, and photographed for people to judge."""

from tests.browser.scenes import (
    apps,
    bin_and_refusals,
    forms,
    inbox,
    people,
    record,
    results,
    reuse,
    review,
    runs,
    sharing,
    sign_in,
    spending,
)
from tests.browser.scenes.stage import scenes

__all__ = [
    "apps",
    "bin_and_refusals",
    "forms",
    "inbox",
    "people",
    "record",
    "results",
    "reuse",
    "review",
    "runs",
    "scenes",
    "sharing",
    "sign_in",
    "spending",
]
