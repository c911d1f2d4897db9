"""Caddy, set up exactly as in docs/operating.md, but without https."""

import re
import subprocess
from pathlib import Path

from tests.support.proxies import binary, blocks_of_the_manual

FRAME = """{{
    admin off
    auto_https off
    storage file_system {folder}
}}
{block}
"""
BUFFERS = (2, 6, 4)  # the first version with `request_buffers`


def block(program: str, address: str, upstream: str) -> str:
    """Return the manual's Caddyfile with this test's addresses; its last option is turned on if Caddy is new enough."""
    ours = blocks_of_the_manual("caddyfile", 1)
    assert all(
        part in ours for part in ("portal.example.com {", "reverse_proxy 127.0.0.1:8000 {", "# request_buffers ")
    )
    ours = ours.replace("portal.example.com {", f"{address} {{")
    ours = ours.replace("127.0.0.1:8000", upstream.removeprefix("http://"))
    version = re.search(r"(\d+)\.(\d+)\.(\d+)", subprocess.check_output([program, "version"], text=True))
    assert version is not None
    return (
        ours.replace("# request_buffers ", "request_buffers ") if tuple(map(int, version.groups())) >= BUFFERS else ours
    )


def prepare(folder: Path, port: int, upstream: str) -> list[str]:
    """Write a configuration to `folder`; return the command that starts Caddy on `port` in front of `upstream`."""
    program, config = binary("caddy", "caddy"), folder / "Caddyfile"
    config.write_text(FRAME.format(folder=folder, block=block(program, f"http://127.0.0.1:{port}", upstream)))
    return [program, "run", "--config", str(config), "--adapter", "caddyfile"]
