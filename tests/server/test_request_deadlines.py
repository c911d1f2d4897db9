"""When a request counts as complete, and what its deadlines are, by a clock that the test controls."""

import pytest

from lamina_portal.server import deadlines, sockets
from lamina_portal.server.deadlines import Arrival, Progress
from tests.server.servers import request

NOW = 1000.0


def new(*, is_first: bool = True) -> Arrival:
    return Arrival(NOW + 15, is_first=is_first)


def test_the_deadlines_are_those_in_the_manual() -> None:
    assert (deadlines.HEAD_SECONDS, deadlines.BODY_SECONDS, deadlines.UPLOAD_SECONDS) == (15, 30, 10)
    assert sockets.BYTES_A_SECOND == 20_000


def post(size: int, *headers: str) -> bytes:
    return request("/", *headers, f"Content-Length: {size}", method="POST")


@pytest.mark.parametrize("body", [b"", b"x", b"x" * 1000])
def test_a_request_is_complete_with_its_last_byte(body: bytes) -> None:
    whole = post(len(body)) + body
    arrival = new()
    progress = [arrival.add(whole[n : n + 1], NOW) for n in range(len(whole))]
    assert set(progress[:-1]) == {Progress.MORE}
    assert progress[-1] is Progress.READY
    assert bytes(arrival.received) == whole


def test_what_follows_a_request_stays_with_it() -> None:
    arrival = new()
    both = post(1) + b"x" + request("/next")
    assert arrival.add(both, NOW) is Progress.READY
    assert bytes(arrival.received) == both


def test_headers_have_a_total_deadline() -> None:
    arrival = new()
    for n, byte in enumerate(request("/")[:-1]):
        arrival.add(bytes([byte]), NOW + n)
        assert arrival.due == NOW + 15


def test_on_a_kept_connection_the_deadline_for_headers_starts_with_the_first_byte() -> None:
    arrival = new(is_first=False)
    arrival.add(b"G", NOW + 10)
    assert arrival.due == NOW + 10 + 15
    arrival.add(b"E", NOW + 20)
    assert arrival.due == NOW + 10 + 15


def test_the_deadline_for_a_body_starts_at_the_end_of_the_headers() -> None:
    arrival = new()
    assert arrival.add(post(10), NOW + 5) is Progress.MORE
    assert arrival.due == NOW + 5 + 30
    assert arrival.add(b"x" * 9, NOW + 20) is Progress.MORE
    assert arrival.due == NOW + 5 + 30


@pytest.mark.parametrize(("size", "progress"), [(65_536, Progress.MORE), (65_537, Progress.READY)])
def test_a_body_over_64_kb_is_not_awaited(size: int, progress: Progress) -> None:
    arrival = new()
    assert arrival.add(post(size), NOW) is progress
    assert arrival.is_large is (size > 65_536)


@pytest.mark.parametrize(
    ("headers", "is_upload"),
    [
        (("Content-Type: multipart/form-data; boundary=x",), True),
        (("content-type:MULTIPART/FORM-DATA; boundary=x",), True),
        (("Content-Type: application/json",), False),
        ((), False),
    ],
)
def test_only_a_form_with_files_is_an_upload(headers: tuple[str, ...], is_upload: bool) -> None:
    arrival = new()
    arrival.add(post(100_000, *headers) + b"\r\nContent-Type: multipart/form-data; boundary=x\r\n", NOW)
    assert arrival.is_upload is is_upload


def test_a_client_that_asks_before_sending_a_body_gets_one_continue() -> None:
    arrival = new()
    assert arrival.add(post(5, "Expect: 100-continue"), NOW) is Progress.CONTINUE
    assert arrival.add(b"12345", NOW) is Progress.READY
    assert bytes(arrival.received) == post(5) + b"12345"


@pytest.mark.parametrize("before", [b"", b"x" * 5])
def test_gunicorn_answers_clients_that_ask_before_a_large_body_or_have_sent_all(before: bytes) -> None:
    arrival = new()
    size = len(before) or 100_000
    assert arrival.add(post(size, "Expect: 100-continue") + before, NOW) is Progress.READY
    assert b"Expect: 100-continue" in arrival.received


CHUNKED = request("/", "Transfer-Encoding: chunked", method="POST")


@pytest.mark.parametrize(
    "body", [b"0\r\n\r\n", b"5\r\nhello\r\nA;x=y\r\n0123\r\n\r\n89\r\n0\r\n\r\n", b"0\r\nX-Sum: 1\r\nY: 2\r\n\r\n"]
)
def test_a_chunked_body_is_complete_with_its_last_byte(body: bytes) -> None:
    arrival, whole = new(), CHUNKED + body
    progress = [arrival.add(whole[n : n + 1], NOW) for n in range(len(whole))]
    assert set(progress[:-1]) == {Progress.MORE}
    assert progress[-1] is Progress.READY
    assert new().add(whole, NOW) is Progress.READY
    assert new().add(whole + request("/next"), NOW) is Progress.READY


@pytest.mark.parametrize("body", [b"10001\r\n", b"ffff\r\n" + b"x" * 65_535 + b"\r\n", b"x" * 66_000])
def test_a_large_body_of_unknown_length_is_refused(body: bytes) -> None:
    assert new().add(CHUNKED + body, NOW) is Progress.NO_LENGTH


@pytest.mark.parametrize("body", [b"zz\r\n", b"\r\n", b"-1\r\nx"])
def test_odd_chunks_go_to_the_parser_at_once(body: bytes) -> None:
    assert new().add(CHUNKED + body, NOW) is Progress.READY


def test_headers_without_an_end_are_refused() -> None:
    arrival = new()
    assert arrival.add(b"GET / HTTP/1.1\r\nX: " + b"x" * 32_000, NOW) is Progress.MORE
    assert arrival.add(b"x" * 1000, NOW) is Progress.TOO_LARGE


@pytest.mark.parametrize("head", [b"GET / HTTP/1.0\n\n", b"GET / HTTP/1.1\r\nHost: a\n", b"\r\n\r\n", b"\n"])
def test_what_is_not_a_request_goes_to_the_parser_at_once(head: bytes) -> None:
    assert new().add(head, NOW) is Progress.READY


@pytest.mark.parametrize("length", ["1x", "-1", "1, 1", "1" * 40])
def test_an_odd_length_goes_to_the_parser_at_once(length: str) -> None:
    assert new().add(request("/", f"Content-Length: {length}", method="POST"), NOW) is Progress.READY
