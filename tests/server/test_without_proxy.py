"""The web server without a proxy in front of it."""

import runpy
from types import SimpleNamespace

import pytest

from tests.support.processes import ROOT


@pytest.mark.parametrize(
    ("host", "proxies", "warns"),
    [("127.0.0.1", [], False), ("::1", [], False), ("192.0.2.1", [], True), ("192.0.2.1", ["10.0.0.1"], False)],
)
def test_it_warns_if_others_can_reach_it(host: str, proxies: list[str], warns: bool) -> None:
    config = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    on_starting = config["on_starting"]
    on_starting.__globals__["PORTAL_TRUSTED_PROXIES"] = proxies
    warnings: list[str] = []
    addresses = ["/run/portal.sock", (host, 8000)]
    on_starting(SimpleNamespace(address=addresses, log=SimpleNamespace(warning=warnings.append)))
    assert [("slow clients can block it" in words) for words in warnings] == [True] * warns
