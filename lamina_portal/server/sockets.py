"""A client connection that doesn't keep a thread waiting: the main loop later sends whatever the client can't receive
right away."""

import errno
import os
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import IO, Any

BYTES_A_SECOND = 20_000  # how fast a client must send or receive while a thread waits for it
ALLOWANCE_SECONDS = 10.0  # how long a thread may wait for a client at first; transferred bytes add more time
MOST_ALLOWANCE_SECONDS = 30.0  # the most waiting time that a fast client can save up
NO_ALLOWANCE_SECONDS = 0.2  # how long a thread may wait if no other thread can take its place
SHORT_SECONDS = 0.05  # shorter waits count as work, not as waiting
MAX_IN_KERNEL = 256 * 1024  # in bytes; with a larger buffer, we would notice too late that a client is reading
MAX_UNSENT = 1_000_000  # in bytes; if more than this is still unsent, the thread of a streamed response has to wait
NO_SENDFILE = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)  # errors from file systems that don't support sendfile
READ_AT_ONCE = 64 * 1024
MAX_AT_ONCE = 1_000_000  # bytes to send to one client before the others get a turn


class TimeAllowance:
    """How many more seconds a client may keep a thread waiting. Each byte transferred earns more time."""

    def __init__(self, seconds: float = ALLOWANCE_SECONDS, bytes_a_second: int = BYTES_A_SECOND) -> None:
        self.seconds, self.bytes_a_second = seconds, bytes_a_second

    @classmethod
    def in_all(cls, seconds: float) -> "TimeAllowance":
        """Return an allowance for a fixed time, no matter how much is transferred."""
        return cls(seconds, 0)

    def moved(self, count: int) -> None:
        if self.bytes_a_second:
            self.seconds = min(self.seconds + count / self.bytes_a_second, MOST_ALLOWANCE_SECONDS)


class FilePart:
    """The part of an open file that still has to be sent. It isn't read into memory, and has its own file
    descriptor."""

    def __init__(self, file: int, offset: int, count: int) -> None:
        self.file, self.offset, self.count = os.dup(file), offset, count

    def send(self, to: socket.socket) -> int:
        count = min(self.count, MAX_AT_ONCE)
        try:
            sent = os.sendfile(to.fileno(), self.file, self.offset, count)
        except OSError as error:
            if error.errno not in NO_SENDFILE:
                raise
            sent = to.send(os.pread(self.file, min(count, READ_AT_ONCE), self.offset))
        if not sent:
            raise ConnectionResetError(errno.ECONNRESET, "the file has become shorter")
        self.offset += sent
        self.count -= sent
        return sent

    def __len__(self) -> int:
        return self.count

    def close(self) -> None:
        os.close(self.file)


class BytesPart:
    """Bytes still to be sent."""

    def __init__(self, data: bytes) -> None:
        self.data = memoryview(data)

    def send(self, to: socket.socket) -> int:
        sent = to.send(self.data)
        self.data = self.data[sent:]
        return sent

    def __len__(self) -> int:
        return len(self.data)

    def close(self) -> None:
        self.data.release()


class ClientSocket(socket.socket):
    """An accepted connection, with the methods that gunicorn's parser and response use.

    `recv` waits until the client's upload allowance runs out. `sendall` and `sendfile` queue what the client can't
    receive right away, and `flush` sends it later; only streamed responses wait for slow readers. If a client is too
    slow, ConnectionResetError is raised, as if it had disconnected. All waiting is done inside `away`, so that another
    thread can take over.
    """

    def __init__(self, accepted: socket.socket, away: Callable[[], AbstractContextManager[bool]]) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, accepted.detach())
        super().setblocking(False)
        if accepted.family in (socket.AF_INET, socket.AF_INET6) and hasattr(socket, "TCP_NOTSENT_LOWAT"):
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MAX_IN_KERNEL)
        self.away = away
        self.uploading: TimeAllowance | None = None  # None means: don't read any more of this request
        self.taking = TimeAllowance()
        self.parts: deque[BytesPart | FilePart] = deque()

    def setblocking(self, flag: bool) -> None:
        """Do nothing; gunicorn calls this before and after each request."""

    def settimeout(self, value: float | None) -> None:
        """Do nothing; see `setblocking`."""

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """Read from the client, from within a thread; used only for the rest of a large body."""
        while self.uploading:
            with suppress(BlockingIOError):
                data = super().recv(bufsize, flags)
                self.uploading.moved(len(data))
                return data
            self._wait(select.POLLIN, self.uploading)
        raise ConnectionResetError(errno.ECONNRESET, "the rest of the body isn't needed")

    def recv_now(self, size: int) -> bytes | None:
        """Read whatever has arrived, from within the main loop. Return b"" if the client has closed the
        connection, None if nothing has arrived yet."""
        try:
            return super().recv(size)
        except BlockingIOError:
            return None

    def sendall(self, data: Any, flags: int = 0) -> None:
        while sum(map(len, self.parts)) > MAX_UNSENT and not self.flush():
            try:
                self._wait(select.POLLOUT, self.taking)
            except ConnectionResetError:
                self.give_up()
                raise
        if data:
            self.parts.append(BytesPart(bytes(data)))
            self.flush()

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:  # type: ignore[override]
        size = os.fstat(file.fileno()).st_size - offset if count is None else count
        if size:
            self.parts.append(FilePart(file.fileno(), offset, size))
            self.flush()
        return size

    def flush(self) -> bool:
        """Send as much as the client can receive now; return True if nothing is left. Raises OSError if the client has
        disconnected."""
        sent = 0
        try:
            while self.parts and sent < MAX_AT_ONCE:
                sent += self.parts[0].send(self)
                if not len(self.parts[0]):
                    self.parts.popleft().close()
        except BlockingIOError:
            pass
        finally:
            self.taking.moved(sent)
        return not self.parts

    def give_up(self) -> None:
        """Discard unsent data, and make `close` discard what is still in the kernel's buffer."""
        self._forget()
        self.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _forget(self) -> None:
        while self.parts:
            self.parts.popleft().close()

    def _wait(self, event: int, allowance: TimeAllowance) -> None:
        """Wait until we can read from the client or write to it. The time comes out of its `allowance`."""
        poll = select.poll()
        poll.register(self, event)
        begun = time.monotonic()
        if not poll.poll(SHORT_SECONDS * 1000):
            with self.away() as is_replaced:
                if not is_replaced:
                    allowance.seconds = min(allowance.seconds, NO_ALLOWANCE_SECONDS)
                poll.poll(max(0.0, allowance.seconds) * 1000)
        allowance.seconds -= time.monotonic() - begun
        if allowance.seconds <= 0 or not poll.poll(0):
            raise ConnectionResetError(errno.ECONNRESET, "the client is too slow")

    def close(self) -> None:
        self._forget()
        super().close()
