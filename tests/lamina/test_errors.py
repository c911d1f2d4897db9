"""Every kind of refusal by Lamina, or by a proxy in front of it."""

from collections.abc import Callable
from typing import Any

import pytest

from runs.lamina.client import LaminaClient
from runs.lamina.errors import FieldError, LaminaError, LaminaRateLimited, LaminaRejected, LaminaUnavailable
from tests.lamina.scripted import Scripted
from tests.support.processes import busy_at_most

NESTED = {
    "error": "Bad inputs",
    "code": "VALIDATION_ERROR",
    "details": {
        "code": "INVALID",
        "message": "Bad inputs",
        "details": {
            "errors": [
                {"field": "Style", "error": "invalid_option", "allowed": ["Ghibli", "Simpsons"], "got": "Manga"},
                {"field": "Prompt", "error": "too long", "message": "At most 10 characters"},
            ]
        },
    },
}


def error_of(client: LaminaClient) -> LaminaError:
    with pytest.raises(LaminaError) as caught:
        client.start_run("app", {"Style": "Manga"})
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


def field_errors(scripted: Scripted, client: LaminaClient, body: Any, status: int = 400) -> list[tuple[str, str, str]]:
    """Return the field, code and message of each field error."""
    scripted.answer(status, body)
    error = error_of(client)
    assert isinstance(error, LaminaRejected)
    return [(problem.field, problem.code, problem.message) for problem in error.field_errors]


def test_the_structured_shape(scripted: Scripted, client: LaminaClient) -> None:
    body = {
        "error": "Prompt is\nneeded",
        "code": "VALIDATION_ERROR",
        "retryable": False,
        "details": [],
        "requestId": "550e8400",
    }
    scripted.answer(400, body)
    error = error_of(client)
    assert isinstance(error, LaminaRejected)
    assert (error.message, error.quote, error.status) == ("Prompt is needed", "Prompt is needed", 400)
    assert (error.code, error.request_id, error.field_errors) == ("VALIDATION_ERROR", "550e8400", [])
    assert error.nothing_happened
    assert str(error) == "Prompt is needed"


def test_the_legacy_shape(scripted: Scripted, client: LaminaClient) -> None:
    line = '"Style": invalid option "Manga". Must be one of: Ghibli, Simpsons'
    assert field_errors(scripted, client, {"error": "Invalid inputs", "details": [line]}) == [
        ("Style", "invalid_option", 'invalid option "Manga". Must be one of: Ghibli, Simpsons')
    ]


def test_the_nested_shape(scripted: Scripted, client: LaminaClient) -> None:
    scripted.answer(400, NESTED)
    error = error_of(client)
    assert isinstance(error, LaminaRejected)
    assert error.field_errors == [
        FieldError("Style", "invalid_option", "", ("Ghibli", "Simpsons")),
        FieldError("Prompt", "", "At most 10 characters"),
    ]


def test_choices_that_the_message_names_are_not_repeated(scripted: Scripted, client: LaminaClient) -> None:
    entry = {"field": "Style", "message": "Ghibli or Simpsons, please", "allowed": ["Ghibli", "Simpsons"]}
    scripted.answer(400, {"error": "No", "details": [entry, {**entry, "message": "Not this"}]})
    error = error_of(client)
    assert isinstance(error, LaminaRejected)
    assert [problem.allowed for problem in error.field_errors] == [(), ("Ghibli", "Simpsons")]


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ([{"field": "Style", "code": "invalid_option", "message": "no"}], ("Style", "invalid_option", "no")),
        ([{"path": ["inputs", "Style"], "message": "Required"}], ("Style", "missing_no_default", "Required")),
        ([{"path": "inputs.a.b", "msg": "bad"}], ("a.b", "", "bad")),
        ([{"param": "Model  Ethnicity", "error": "missing_no_default"}],
         ("Model  Ethnicity", "missing_no_default", "")),
        ([{"name": "Style ", "type": "invalid_type", "message": "x"}], ("Style ", "invalid_type", "x")),
        ({"Style": "invalid option"}, ("Style", "invalid_option", "invalid option")),
        ({"fieldErrors": {"Style": ["Required"]}}, ("Style", "missing_no_default", "Required")),
        ({"inputs": {"Style": {"message": "bad"}}}, ("Style", "", "bad")),
        (['"Say "cheese"": must be a string'], ('Say "cheese"', "invalid_type", "must be a string")),
        (['Missing required input "Style"'],
         ("Style", "missing_no_default", 'Missing required input "Style"')),
        (["Unknown parameter 'Stil'"], ("Stil", "unknown_parameter", "Unknown parameter 'Stil'")),
        (["Style: is wrong"], ("Style", "", "Style: is wrong")),
        ('"Style": is wrong', ("Style", "", "is wrong")),
    ],
)  # fmt: skip
def test_details_of_unknown_form(
    scripted: Scripted, client: LaminaClient, details: Any, expected: tuple[str, str, str]
) -> None:
    body = {"error": "Validation failed", "code": "VALIDATION_ERROR", "details": details}
    assert field_errors(scripted, client, body) == [expected]


def test_the_headline_alone_may_name_the_field(scripted: Scripted, client: LaminaClient) -> None:
    assert field_errors(scripted, client, {"error": '"Style": invalid option'}) == [
        ("Style", "invalid_option", "invalid option")
    ]
    assert field_errors(scripted, client, {"error": "Invalid inputs: see below"}) == []


@pytest.mark.parametrize("details", [None, [], {}, [None, 1, True], "no", [[[[]]]], {"a": 1}, [{"field": "x"}], 3.5])
def test_details_that_say_nothing(scripted: Scripted, client: LaminaClient, details: Any) -> None:
    assert field_errors(scripted, client, {"error": "Invalid inputs", "details": details}) == []


def test_a_flood_of_details_is_bounded(scripted: Scripted, client: LaminaClient) -> None:
    details = [{"field": f"f{number}", "message": "x" * 1200} for number in range(300)]
    found = field_errors(scripted, client, {"error": "e" * 20_000, "details": details})
    assert (len(found), len(found[0][2])) == (100, 1000)
    lines = ['"' * 50_000, "a'b" * 20_000, *["must " + "'x " * 600] * 200]
    with busy_at_most(seconds=2):
        field_errors(scripted, client, {"error": '"' + '" ' * 10_000, "details": lines})


def test_a_rate_limit_says_how_long(scripted: Scripted, client: LaminaClient) -> None:
    body = {"error": "Slow down", "code": "RATE_LIMITED", "retryable": True, "retryAfter": 30, "requestId": "r"}
    cases: list[tuple[Any, dict[str, str], float]] = [
        (body, {}, 30),
        (body, {"Retry_After": "7"}, 7),
        ("Too many requests, please try again later.", {}, 60),
        ("", {"Retry_After": "Thu, 01 Jan 2026 00:00:12 GMT", "Date": "Thu, 01 Jan 2026 00:00:00 GMT"}, 12),
        ("", {"Retry_After": "Thu, 01 Jan 2015 00:00:12 GMT"}, 1),
        ("", {"RateLimit_Reset": "21"}, 21),
        ("", {"RateLimit_Reset": "1767225600"}, 60),
        ("<html>", {"Retry_After": "soon"}, 60),
        ("", {"Retry_After": "99999999999"}, 600),
        ("", {"Retry_After": "-5"}, 60),
        ("", {"Retry_After": "nan"}, 60),
        ("", {"Retry_After": "0"}, 1),
        ({"error": {"message": "x", "retryAfter": "9"}}, {}, 9),
    ]
    for answer, headers, seconds in cases:
        scripted.answer(429, answer, **headers)
        error = error_of(client)
        assert isinstance(error, LaminaRateLimited)
        assert (error.retry_after, error.nothing_happened, error.status) == (seconds, True, 429), (answer, headers)


def test_a_rate_limit_is_known_by_its_code_too(scripted: Scripted, client: LaminaClient) -> None:
    scripted.answer(403, {"error": "Slow down", "code": "RATE_LIMITED", "retryAfter": 3})
    error = error_of(client)
    assert isinstance(error, LaminaRateLimited)
    assert error.retry_after == 3


def test_a_rate_limit_whose_body_breaks_off_is_still_one(scripted: Scripted, client: LaminaClient) -> None:
    scripted.send(b"HTTP/1.1 429 Too Many\r\nRetry-After: 5\r\nContent-Length: 100\r\n\r\nToo ma")
    error = error_of(client)
    assert isinstance(error, LaminaRateLimited)
    assert error.retry_after == 5


@pytest.mark.parametrize(
    ("status", "body", "is_certain"),
    [
        (402, "", True),
        (402, {"error": "Payment required"}, True),
        (400, {"error": "INSUFFICIENT  credits for this run", "code": "VALIDATION_ERROR"}, True),
        (403, {"error": "Forbidden", "details": ["Insufficient Credits"]}, True),
        (422, "insufficient credits", True),
        (400, {"error": "no", "code": "INSUFFICIENT_CREDITS"}, True),
        (429, {"error": "Insufficient credits"}, True),
        (500, {"error": "Insufficient credits", "code": "INTERNAL_ERROR"}, False),
        (400, {"error": {"message": "x", "details": {"errors": [{"error": "insufficient credits"}]}}}, True),
        (200, {"error": "Insufficient credits"}, False),
    ],
)
def test_insufficient_credits_in_every_shape(
    scripted: Scripted, client: LaminaClient, status: int, body: Any, is_certain: bool
) -> None:
    scripted.answer(status, body)
    error = error_of(client)
    assert isinstance(error, LaminaRejected)
    assert error.is_insufficient_credits
    assert not error.is_key_refused
    assert error.nothing_happened is is_certain


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (401, "AUTH_MISSING_KEY", "is_key_refused"),
        (401, "AUTH_INVALID_KEY", "is_key_refused"),
        (401, "AUTH_INVALID_CONTEXT", "is_key_refused"),
        (401, "", "is_key_refused"),
        (403, "FORBIDDEN", "is_forbidden"),
        (404, "NOT_FOUND", "is_not_found"),
    ],
)
def test_what_a_refusal_means(scripted: Scripted, client: LaminaClient, status: int, code: str, verdict: str) -> None:
    scripted.answer(status, {"error": "No", "code": code} if code else {"error": "Invalid API key"})
    error = error_of(client)
    assert isinstance(error, LaminaRejected)
    meanings = ("is_key_refused", "is_forbidden", "is_not_found", "is_insufficient_credits")
    assert [meaning for meaning in meanings if getattr(error, meaning)] == [verdict]


@pytest.mark.parametrize(
    ("status", "body", "is_from_lamina"),
    [
        (404, {"error": "App not found"}, True),
        (404, {"code": "NOT_FOUND"}, True),
        (404, {"error": {"message": "No such app", "code": "NOT_FOUND"}}, True),
        (404, "404 page not found", False),
        (404, '"App not found"', False),
        (404, ["App not found"], False),
        (404, {"message": "Not Found"}, False),
        (404, {"error": None}, False),
        (404, "", False),
        (403, {"error": "Workspace mismatch"}, True),
        (403, "error code: 1020", False),
        (403, {"message": "Forbidden"}, False),
    ],
)
def test_only_lamina_says_what_is_there(
    scripted: Scripted, client: LaminaClient, status: int, body: Any, is_from_lamina: bool
) -> None:
    scripted.answer(status, body)
    error = error_of(client)
    assert isinstance(error, LaminaRejected)
    assert error.is_from_lamina is is_from_lamina
    assert (error.is_not_found or error.is_forbidden) is is_from_lamina


def test_a_410_is_not_a_404(scripted: Scripted, client: LaminaClient) -> None:
    scripted.answer(410, {"error": "Gone"})
    error = error_of(client)
    assert isinstance(error, LaminaRejected)
    assert (error.is_from_lamina, error.is_not_found) == (True, False)


def test_a_database_failure_at_lamina_is_not_a_bad_key(scripted: Scripted, client: LaminaClient) -> None:
    for status in (500, 401):
        scripted.answer(status, {"error": "Auth failed", "code": "AUTH_FAILED", "retryable": True})
        error = error_of(client)
        assert isinstance(error, LaminaUnavailable)
        assert not error.nothing_happened


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"error": "x", "code": "INTERNAL_ERROR", "retryable": True}),
        (500, {"error": "x", "code": "VALIDATION_ERROR"}),
        (502, "<html><body>Bad gateway</body></html>"),
        (503, ""),
        (504, "upstream timed out"),
        (599, b"\xff\xfe\x00"),
        (408, ""),
        (499, ""),
        (301, ""),
        (302, {"data": {"runId": "r1"}}),
        (304, ""),
        (200, ""),
        (202, "<html>Welcome to the hotel's network</html>"),
        (202, "null"),
        (202, "[]"),
        (202, "3"),
        (202, {}),
        (202, {"data": None}),
        (202, {"data": {}}),
        (202, {"data": []}),
        (202, {"data": {"runId": ""}}),
        (202, {"data": {"runId": None, "status": "queued"}}),
        (202, {"data": {"runId": {"id": 1}}}),
        (202, {"data": {"runId": True}}),
        (202, {"data": {"runId": ".."}}),
        (202, {"data": {"runId": "a\nb"}}),
        (202, {"data": {"runId": "x" * 201}}),
        (202, {"error": "Something", "requestId": "q1"}),
        (204, ""),
        (202, b'{"data": {"runId": "r1"'),
        (202, b"[" * 200_000),
        (202, b'{"data": {"runId": ' + b"9" * 10_000 + b"}}"),
        (999, ""),
    ],
)
def test_an_unclear_answer_to_a_start(scripted: Scripted, client: LaminaClient, status: int, body: Any) -> None:
    scripted.answer(status, body, Location="http://127.0.0.1:9/elsewhere")
    error = error_of(client)
    assert isinstance(error, LaminaUnavailable)
    assert (error.status, error.was_connected, error.nothing_happened) == (status, True, False)
    assert "<" not in error.message
    assert error.message
    assert len(scripted.asked) == 1


def test_html_and_control_characters_are_never_quoted(scripted: Scripted, client: LaminaClient) -> None:
    scripted.answer(400, b'{"error": "half of')
    assert error_of(client).quote == ""
    scripted.answer(403, " <!DOCTYPE html><h1>Blocked</h1>")
    assert error_of(client).quote == ""
    scripted.answer(400, {"error": "a\x00b\x1b[31m\u202ec\ud800"})
    assert error_of(client).quote == "a\ufffdb [31mc\ufffd"


@pytest.mark.parametrize(
    "body", ["Plain no", '"Plain no"', {"message": "Plain no"}, {"error": {"message": "Plain no"}}]
)
def test_a_sentence_is_found_wherever_it_is(scripted: Scripted, client: LaminaClient, body: Any) -> None:
    scripted.answer(400, body, X_Request_Id="from-the-header")
    error = error_of(client)
    assert (error.message, error.request_id) == ("Plain no", "from-the-header")


def test_refused_connections_are_certain(nobody: str) -> None:
    for url in (nobody, "http://no-such-host.invalid", "ftp://127.0.0.1", "http://[", "nonsense", ""):
        error = error_of(LaminaClient(url, "lma_key"))
        assert isinstance(error, LaminaUnavailable)
        assert (error.was_connected, error.nothing_happened, error.status) == (False, True, None), url


@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 20", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_a_connection_that_breaks_is_unclear(scripted: Scripted, client: LaminaClient, raw: bytes) -> None:
    scripted.send(raw)
    error = error_of(client)
    assert isinstance(error, LaminaUnavailable)
    assert not error.nothing_happened


@pytest.mark.parametrize("key", ["", "  ", "lma_a\nb", "lma_é", "lma_a b", "lma_\x7f"])
def test_a_key_that_cannot_be_sent_is_a_refused_key(scripted: Scripted, key: str) -> None:
    error = error_of(LaminaClient(scripted.url, key))
    assert isinstance(error, LaminaRejected)
    assert (error.is_key_refused, error.nothing_happened, scripted.asked) == (True, True, [])


@pytest.mark.parametrize("identity", ["", " ", ".", "..", "a\nb", "x" * 201])
def test_an_id_that_no_path_can_carry_is_not_found(scripted: Scripted, client: LaminaClient, identity: str) -> None:
    calls: list[Callable[[str], Any]] = [client.get_app, client.get_run, client.cancel_run, client.estimate]
    for call in calls:
        with pytest.raises(LaminaRejected) as caught:
            call(identity)
        assert caught.value.is_not_found
    assert scripted.asked == []


def test_field_errors_are_values() -> None:
    assert FieldError("a", "", "b") == FieldError("a", "", "b")
