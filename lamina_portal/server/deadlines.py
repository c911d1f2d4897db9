"""Tracks a request that is still arriving: its deadlines, and when it is ready for a thread."""

import re
from enum import Enum

HEAD_SECONDS = 15.0  # longest time from the first byte (or the start of a new connection) to the end of the headers
BODY_SECONDS = 30.0  # longest time from the end of the headers to the end of the body
UPLOAD_SECONDS = 10.0  # how long an upload may take at first; every 20 KB received adds one second
MAX_HEAD = 32 * 1024  # in bytes; browsers send 1 to 4 KB
MAX_AWAITED_BODY = 64 * 1024  # in bytes; a larger body is read by the thread that handles the request

# The end of the headers, or a line break without CR, which gunicorn's parser rejects right away.
END_OF_HEAD = re.compile(rb"\r\n\r\n|(?<!\r)\n")
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,19})[ \t]*(?=\r\n)", re.IGNORECASE)
ENCODING = re.compile(rb"\r\ntransfer-encoding[ \t]*:", re.IGNORECASE)
EXPECTATION = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)
CHUNK_SIZE = re.compile(rb"([0-9a-f]{1,8})[^\r\n]{0,100}\r\n", re.IGNORECASE)
MULTIPART = re.compile(rb"\r\ncontent-type:[ \t]*multipart/form-data[ \t]*;", re.IGNORECASE)


class Progress(Enum):
    """What to do next with an incoming request."""

    MORE = "wait for more of it"
    CONTINUE = "the client waits to be told that it may send the body"
    READY = "give it to a thread"
    TOO_LARGE = "431 Request Header Fields Too Large"
    NO_LENGTH = "411 Length Required"


class Arrival:
    """The bytes of one request, and possibly the beginning of the next. `due` is a time on the monotonic clock.

    Only gunicorn's parser interprets the bytes; this class just finds out whether the parser would have to wait for
    more. Malformed requests go straight to the parser, which rejects them without reading any further.
    """

    def __init__(self, due: float, *, is_first: bool) -> None:
        self.due = due
        self.is_first = is_first  # whether this is the first request on the connection
        self.received = bytearray()
        self.head_size = 0  # in bytes, including the blank line; 0 until that has arrived
        self.body_size = 0
        self.chunk_at = 0  # where the next chunk starts; 0 unless the body is chunked

    @property
    def has_begun(self) -> bool:
        return bool(self.received)

    @property
    def is_large(self) -> bool:
        """Whether the body is too large for the loop to wait for."""
        return self.body_size > MAX_AWAITED_BODY

    @property
    def is_upload(self) -> bool:
        return MULTIPART.search(self.received, 0, self.head_size) is not None

    def add(self, data: bytes, now: float) -> Progress:
        """Add the next bytes; return what to do next."""
        if not self.has_begun and not self.is_first:
            self.due = now + HEAD_SECONDS
        searched = max(0, len(self.received) - 3)
        self.received += data
        if not self.head_size:
            found = END_OF_HEAD.search(self.received, searched)
            if (found.end() if found else len(self.received)) > MAX_HEAD:
                return Progress.TOO_LARGE
            if not found:
                return Progress.MORE
            return self._headers_ended(found.end(), now)
        return self._body_progress()

    def _headers_ended(self, size: int, now: float) -> Progress:
        self.head_size, self.due = size, now + BODY_SECONDS
        if ENCODING.search(self.received, 0, size):
            self.chunk_at = size
        lengths = LENGTH.findall(self.received, 0, size)
        # If there are several lengths, gunicorn's parser rejects the request
        self.body_size = int(lengths[0]) if len(lengths) == 1 else 0
        progress = self._body_progress()
        if progress is Progress.MORE and (expectation := EXPECTATION.search(self.received, 0, size)):
            # Remove the header; otherwise, gunicorn would also send 100 Continue
            del self.received[expectation.start() : expectation.end()]
            self.head_size -= expectation.end() - expectation.start()
            return Progress.CONTINUE
        return progress

    def _body_progress(self) -> Progress:
        if self.chunk_at:
            return self._chunks_progress()
        is_here = self.is_large or len(self.received) >= self.head_size + self.body_size
        return Progress.READY if is_here else Progress.MORE

    def _chunks_progress(self) -> Progress:
        """Return the progress of a chunked body. Some proxies send even an empty body this way.

        Django doesn't accept such bodies, so large ones aren't read. Small ones are collected here, because gunicorn
        reads them to the end.
        """
        while found := CHUNK_SIZE.match(self.received, self.chunk_at):
            size = int(found[1], 16)
            if not size:
                return Progress.READY if self.received.find(b"\r\n\r\n", found.end() - 2) >= 0 else Progress.MORE
            self.chunk_at = found.end() + size + 2
        if max(self.chunk_at, len(self.received)) > self.head_size + MAX_AWAITED_BODY:
            return Progress.NO_LENGTH
        is_odd = b"\r\n" in self.received[self.chunk_at :]  # gunicorn rejects it
        return Progress.READY if is_odd else Progress.MORE
