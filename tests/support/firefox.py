"""An installed Firefox, driven over WebDriver BiDi (https://w3c.github.io/webdriver-bidi/).

Playwright drives only its own build of Firefox, and a client library would be one more dependency for a single test.
"""

import base64
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.processes import TIMEOUT_SECONDS, wait_until
from tests.support.requirements import skip_or_fail

NAMES = ("firefox-esr", "firefox")
LISTENS = re.compile(r"BiDi listening on ws://127\.0\.0\.1:(\d+)")
QUIET = {  # keeps a new profile from contacting Mozilla
    "app.normandy.enabled": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
}
TEXT, PING, PONG = 1, 9, 10  # kinds of WebSocket frames


class WebSocket:
    """A WebSocket client with just enough of RFC 6455 for two programs on one machine to exchange text messages."""

    def __init__(self, port: int, path: str) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS)
        self.incoming = self.sock.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]
        self.sock.sendall("\r\n".join(lines).encode())
        answer = b"".join(iter(self.incoming.readline, b"\r\n"))
        assert b" 101 " in answer, answer

    def send(self, data: bytes, kind: int = TEXT) -> None:
        size = len(data)
        head = bytes([0x80 | kind])
        head += bytes([0x80 | size]) if size < 126 else bytes([0xFE]) + size.to_bytes(2)
        assert size < 2**16
        mask = os.urandom(4)
        self.sock.sendall(head + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(data)))

    def receive(self) -> bytes:
        """Return the next message."""
        message = b""
        while True:
            first, second = self.incoming.read(2)
            size = second & 0x7F
            if size > 125:
                size = int.from_bytes(self.incoming.read(2 if size == 126 else 8))
            data = self.incoming.read(size)
            if first & 0x0F == PING:
                self.send(data, PONG)
                continue
            message += data
            if first & 0x80:
                return message

    def close(self) -> None:
        self.incoming.close()
        self.sock.close()


class Firefox:
    """A Firefox with one tab. `base_url` is prepended to every path."""

    def __init__(self, port: int, base_url: str) -> None:
        self.socket = WebSocket(port, "/session")
        self.base_url = base_url
        self.asked = 0
        self.ask("session.new", capabilities={})
        self.tab = self.ask("browsingContext.getTree")["contexts"][0]["context"]

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command; return its result. Events are ignored."""
        self.asked += 1
        self.socket.send(json.dumps({"id": self.asked, "method": method, "params": params}).encode())
        while True:
            answer: dict[str, Any] = json.loads(self.socket.receive())
            if answer.get("id") == self.asked:
                assert answer["type"] == "success", answer
                result: dict[str, Any] = answer["result"]
                return result

    def goto(self, path: str) -> None:
        self.ask("browsingContext.navigate", context=self.tab, url=self.base_url + path, wait="complete")

    def back(self) -> None:
        self.ask("browsingContext.traverseHistory", context=self.tab, delta=-1)

    def set_cookie(self, name: str, value: str) -> None:
        cookie = {"name": name, "value": {"type": "string", "value": value}, "domain": "localhost"}
        self.ask("storage.setCookie", cookie=cookie)

    def run(self, script: str) -> Any:
        """Return the value of the expression `script`, or None while the page is being replaced."""
        target = {"context": self.tab, "sandbox": "test"}
        expression = f"JSON.stringify({script})"
        result = self.ask("script.evaluate", expression=expression, target=target, awaitPromise=True)
        assert result["type"] == "success", result
        return json.loads(result["result"].get("value", "null"))

    def choose_file(self, css: str, path: Path) -> None:
        start = {"type": "css", "value": css}
        node = self.ask("browsingContext.locateNodes", context=self.tab, locator=start)["nodes"][0]
        element = {"sharedId": node["sharedId"]}
        self.ask("input.setFiles", context=self.tab, element=element, files=[os.fspath(path)])

    def wait_for(self, script: str, what: str) -> None:
        wait_until(lambda: bool(self.run(script)), what)


@contextmanager
def firefox(folder: Path, base_url: str, *, scripts: bool = True) -> Iterator[Firefox]:
    """Start Firefox with a new profile in `folder`. With `scripts` off, pages' own scripts don't run; `run` still
    works."""
    path = next(filter(None, map(shutil.which, NAMES)), None) or ""
    if not path:
        skip_or_fail("No Firefox found: install it (Debian: apt-get install firefox-esr)")
    folder.mkdir()
    settings = {**QUIET, "javascript.enabled": scripts}
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in settings.items())
    (folder / "user.js").write_text("".join(lines))
    log = folder / "firefox.log"
    command = [path, "--headless", "--no-remote", "--profile", os.fspath(folder), "--remote-debugging-port", "0"]
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        found = wait_until(lambda: LISTENS.search(log.read_text()), "Firefox to listen")
        assert found
        browser = Firefox(int(found[1]), base_url)
        yield browser
        browser.socket.close()
    finally:
        process.terminate()
        process.wait(TIMEOUT_SECONDS)
