"""Caddy, set up as in docs/deploy, but without https."""

import re
import subprocess
from pathlib import Path

from tests.support.proxies import DEPLOY, binary

OPTIONS = "{\n\tservers {"
FRAME = "{{\n\tadmin off\n\tauto_https off\n\tstorage file_system {folder}\n\tservers {{"
RENAMED = (2, 7)  # the first version with `request_buffers`


def caddyfile(program: str) -> Path:
    """Return our configuration for this version of Caddy."""
    version = re.search(r"(\d+)\.(\d+)", subprocess.check_output([program, "version"], text=True))
    assert version is not None
    return DEPLOY / ("Caddyfile" if tuple(map(int, version.groups())) >= RENAMED else "Caddyfile.debian13")


def prepare(folder: Path, port: int, upstream: str) -> list[str]:
    """Write a configuration to `folder`; return the command that starts Caddy on `port` in front of `upstream`."""
    program, config = binary("caddy", "caddy"), folder / "Caddyfile"
    ours = caddyfile(program).read_text()
    assert OPTIONS in ours
    ours = ours.replace(OPTIONS, FRAME.format(folder=folder))
    ours = ours.replace("portal.example.com {", f"http://127.0.0.1:{port} {{")
    config.write_text(ours.replace("127.0.0.1:8000", upstream.removeprefix("http://")))
    return [program, "run", "--config", str(config), "--adapter", "caddyfile"]
