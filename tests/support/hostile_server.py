"""A server that does everything wrong, and a decoy that must never be contacted."""

import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings as django_settings
from PIL import Image
from pytest_django import Settings

from runs.storage.fetch import Fetched, fetch

PAGE = b"<!doctype html><html><script>alert(1)</script></html>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"></svg>'


def fetch_trusted(url: str, **options: Any) -> Fetched:
    """Call `fetch` for an address that came from Lamina."""
    return fetch(url, trusted=django_settings.TRUSTED_FILE_ORIGINS, **options)


def kept_files(settings: Settings) -> list[Path]:
    """Return every file in the media folder, including unfinished uploads."""
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def picture(width: int = 64, height: int = 48, format: str = "PNG", **options: object) -> bytes:
    """Return a small real picture, mostly red."""
    target = BytesIO()
    image = Image.new("RGB", (width, height), "#cc2200")
    image.paste("#0044ff", (0, 0, max(1, width // 4), max(1, height // 4)))
    image.save(target, format, **options)
    return target.getvalue()


def bomb_png(width: int = 30_000, height: int = 30_000) -> bytes:
    """Return a few bytes that claim to be a picture of `width` x `height` pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(name + data)
        return len(data).to_bytes(4, "big") + name + data + checksum.to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    data = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@cache
def bomb() -> bytes:
    """Return a few bytes that unpack to 60 MB."""
    return gzip.compress(bytes(60_000_000), 1)


@cache
def nested_bomb() -> bytes:
    """Return a few hundred bytes that turn into 60 MB after being unpacked three times."""
    return gzip.compress(gzip.compress(bomb()))


def many_scans(count: int) -> bytes:
    """Return a JPEG with `count` scans; each is only a few kilobytes long, but makes decoders process the whole
    picture."""
    honest = picture(2000, 2000, "JPEG", progressive=True)
    last = honest.rindex(b"\xff\xda")
    return honest[:last] + honest[last:-2] * count + b"\xff\xd9"


class HostileServer(ThreadingHTTPServer):
    """`hits` are the requested paths, `headers` the last request's headers, `puts` the uploads by path.

    `files` maps paths to the bodies of honest responses."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.hits: list[str] = []
        self.headers: dict[str, str] = {}
        self.puts: dict[str, tuple[bytes, str]] = {}
        self.files: dict[str, bytes] = {"/a.png": picture()}
        self.dripping: dict[str, bytes] = {}  # bodies sent in four pieces, with pauses
        self.status = 200
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """Ignore errors: in these tests, the other side often hangs up."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HostileServer

    def do_GET(self) -> None:
        self.server.hits.append(self.path)
        self.server.headers = dict(self.headers)
        self.close_connection = True
        path = urlsplit(self.path).path
        act: Callable[[], None] | None = getattr(self, "act_" + path.strip("/").replace("-", "_"), None)
        if act is not None:
            act()
        elif path in self.server.dripping:
            self.in_pieces(self.server.dripping[path])
        elif path in self.server.files:
            self.answer(self.server.files[path])
        else:
            self.answer(b"no", 404)

    def do_PUT(self) -> None:
        self.server.hits.append(self.path)
        self.server.headers = dict(self.headers)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path = urlsplit(self.path)
        if path.path == "/moved":
            self.answer(b"", 307, Location=parse_qs(path.query)["to"][0])
            return
        self.server.puts[self.path] = (body, self.headers["Content-Type"])
        self.answer(b"", self.server.status)

    def answer(self, body: bytes, status: int = 0, **headers: str) -> None:
        self.send_response(status or self.server.status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers and "Transfer_Encoding" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", "spy=1")
        self.end_headers()
        self.wfile.write(body)

    def in_pieces(self, body: bytes) -> None:
        step = len(body) // 4 + 1
        self.answer(body[:step], Content_Length=str(len(body)))
        for at in range(step, len(body), step):
            self.server.over.wait(0.03)
            self.wfile.write(body[at : at + step])

    def forever(self, block: bytes, pause_seconds: float = 0.0) -> None:
        while not self.server.over.wait(pause_seconds):
            self.wfile.write(block)
            self.wfile.flush()

    def act_redirect(self) -> None:
        self.answer(b"", 302, Location=parse_qs(urlsplit(self.path).query)["to"][0])

    def act_loop(self) -> None:
        self.answer(b"", 302, Location="/loop")

    def act_redirect_with_endless_body(self) -> None:
        self.answer(b"", 302, Location="/a.png", Content_Length=str(10**12))
        self.forever(bytes(65536))

    def act_endless(self) -> None:
        self.answer(self.server.files["/a.png"], Content_Length=str(10**12))
        self.forever(bytes(65536))

    def act_endless_chunks(self) -> None:
        start = self.server.files["/a.png"]
        self.answer(f"{len(start):x}\r\n".encode() + start + b"\r\n", Transfer_Encoding="chunked")
        self.forever(b"10000\r\n" + bytes(65536) + b"\r\n")

    def act_drip(self) -> None:
        self.answer(self.server.files["/a.png"][:20], Content_Length="100000")
        self.forever(b".", 0.02)

    def act_drip_without_length(self) -> None:
        self.answer(self.server.files["/a.png"][:20], Transfer_Encoding="identity")
        self.forever(b".", 0.02)

    def act_drip_headers(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self.forever(b".", 0.02)

    def act_says_more(self) -> None:
        self.answer(self.server.files["/a.png"], Content_Length="100000")

    def act_says_less(self) -> None:
        self.answer(self.server.files["/a.png"], Content_Length="60")

    def act_says_huge(self) -> None:
        self.answer(b"x", Content_Length=str(10**12))

    def act_says_400_mb(self) -> None:
        self.answer(self.server.files["/a.png"], Content_Length="400000000")

    def act_gzip_bomb(self) -> None:
        self.answer(bomb(), Content_Encoding="gzip")

    def act_gzip_bombs_in_each_other(self) -> None:
        self.answer(nested_bomb(), Content_Encoding="gzip, gzip, gzip")

    def act_page_as_png(self) -> None:
        self.answer(PAGE, Content_Type="image/png")

    def act_svg_as_png(self) -> None:
        self.answer(SVG, Content_Type="image/png")

    def act_empty(self) -> None:
        self.answer(b"")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def hostile_server() -> Iterator[HostileServer]:
    """Run the server on a free loopback port."""
    server = HostileServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()


class Decoy:
    """A port that nothing may connect to, and that can tell whether anything has."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self.port: int = self._socket.getsockname()[1]

    def was_contacted(self) -> bool:
        """Return whether anyone has connected. The kernel accepts connections by itself, so checking afterwards is
        enough."""
        try:
            self._socket.accept()
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()
