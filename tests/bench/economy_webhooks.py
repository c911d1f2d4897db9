"""Measures the same as `economy` while the sandbox sends the portal webhooks."""

import os

from tests.bench.economy import DELIVERED, measure_all
from tests.bench.portal import Portal
from tests.bench.report import Report


def bench(portal: Portal, report: Report) -> None:
    portal.load_catalog()
    os.environ["LAMINA_WEBHOOKS"] = "on"
    measure_all(portal, report, "economy by webhooks", DELIVERED)
