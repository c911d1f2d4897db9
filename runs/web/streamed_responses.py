"""Streamed responses, whose chunks are generated after the middleware has returned."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase


def stream_within(response: HttpResponseBase, context: Callable[[], AbstractContextManager[object]]) -> None:
    """Generate each chunk of a streamed archive within `context` (the reader's language and so on), because the archive
    contains a table for people to read."""
    if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
        response.streaming_content = _pieces_within(iter(response), context)


def _pieces_within(pieces: Iterator[bytes], context: Callable[[], AbstractContextManager[object]]) -> Iterator[bytes]:
    while True:
        with context():
            try:
                piece = next(pieces)
            except StopIteration:
                return
        yield piece
