"""A small application for the portal's web server to serve: each URL does something that the server must cope with."""

import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse

CALLS = threading.Semaphore(0)
PIECE = b"y" * 65536


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    path, _, argument = environ["PATH_INFO"].strip("/").partition("/")
    return PAGES[path](environ, start_response, int(argument or 0))


def text(start_response: StartResponse, words: str) -> list[bytes]:
    start_response("200 OK", [("Content-Length", str(len(words)))])
    return [words.encode()]


def pid(_: dict[str, Any], start_response: StartResponse, __: int) -> Iterable[bytes]:
    return text(start_response, str(os.getpid()))


def read(environ: dict[str, Any], start_response: StartResponse, _: int) -> Iterable[bytes]:
    """Report how many bytes of the body arrived."""
    left = length = int(environ.get("CONTENT_LENGTH") or 0)
    while left and (data := environ["wsgi.input"].read(min(left, 16_384))):
        left -= len(data)
    return text(start_response, f"read {length - left}")


def headers(environ: dict[str, Any], start_response: StartResponse, _: int) -> Iterable[bytes]:
    """Report what the proxy's headers say about the client."""
    names = ("HTTP_HOST", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO")
    return text(start_response, " ".join(environ.get(name, "-") for name in names))


def refuse(_: dict[str, Any], start_response: StartResponse, __: int) -> Iterable[bytes]:
    """Respond without reading the body."""
    return text(start_response, "refused")


def page(_: dict[str, Any], start_response: StartResponse, size: int) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", str(size))])
    return [b"x" * size]


def file(environ: dict[str, Any], start_response: StartResponse, size: int) -> Iterable[bytes]:
    opened = tempfile.TemporaryFile()  # noqa: SIM115 - the server closes it
    opened.truncate(size)
    start_response("200 OK", [("Content-Length", str(size))])
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](opened)
    return wrapped


def pieces(_: dict[str, Any], start_response: StartResponse, count: int) -> Iterator[bytes]:
    start_response("200 OK", [])
    return (PIECE for _ in range(count))


def hold(_: dict[str, Any], start_response: StartResponse, __: int) -> Iterable[bytes]:
    """Respond once /release has been requested."""
    CALLS.acquire()
    return text(start_response, "released")


def release(_: dict[str, Any], start_response: StartResponse, __: int) -> Iterable[bytes]:
    CALLS.release()
    return text(start_response, "let go")


type Page = Callable[[dict[str, Any], StartResponse, int], Iterable[bytes]]
PAGES: dict[str, Page] = {
    "pid": pid,
    "read": read,
    "headers": headers,
    "refuse": refuse,
    "page": page,
    "file": file,
    "pieces": pieces,
    "hold": hold,
    "release": release,
}
