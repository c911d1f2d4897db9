"""The catalogue: a database cache of known apps, so that pages don't wait for Lamina. Only pressing Run does, for two
seconds at most, in case the form has changed since it was opened.

Lamina's list is sorted by popularity and may be incomplete, so reading it adds and updates apps but never removes any.
An app counts as gone only when Lamina itself answers a request for its id with 404. If Lamina refuses several apps in a
row, even that doesn't count as proof.
"""

from runs.catalog.details import store_detail
from runs.catalog.pictures import fetch_thumbnail
from runs.catalog.refresh import (
    check_app,
    check_before_run,
    complete_catalog,
    read_estimate,
    refresh_app,
    refresh_catalog,
)
from runs.catalog.requests import (
    request_app_refresh,
    request_completion,
    request_estimate,
    request_refresh,
    request_refresh_if_stale,
    request_regular_refresh,
)
from runs.catalog.summaries import record_found

__all__ = [
    "check_app",
    "check_before_run",
    "complete_catalog",
    "fetch_thumbnail",
    "read_estimate",
    "record_found",
    "refresh_app",
    "refresh_catalog",
    "request_app_refresh",
    "request_completion",
    "request_estimate",
    "request_refresh",
    "request_refresh_if_stale",
    "request_regular_refresh",
    "store_detail",
]
