"""Lamina's test vector, and deliveries that must be rejected."""

import hashlib
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.lamina.signature import Flaw, check_delivery
from tests.support.webhook_vector import BODY, HEADERS, KEY, NOW, RUN_ID, SIGNATURE, signed


def test_the_test_vector_is_genuine() -> None:
    assert (len(BODY), hashlib.sha256(BODY).hexdigest()) == (
        289,
        "fc399665131a4e6312bb02e4686463ffacbb806389595265042cd492429d84af",
    )
    verdict = check_delivery(BODY, HEADERS, [KEY], NOW)
    assert verdict.flaw is None
    assert verdict.run_id == RUN_ID
    assert verdict.snapshot is not None
    assert verdict.snapshot.state == "completed"
    assert verdict.snapshot.outputs[0].label == "Café ✓"


@pytest.mark.parametrize("position", [0, 1, 100, 200, 288])
def test_a_changed_byte_fails(position: int) -> None:
    changed = bytearray(BODY)
    changed[position] ^= 1
    assert check_delivery(bytes(changed), HEADERS, [KEY], NOW).flaw is Flaw.SIGNATURE


@pytest.mark.parametrize("body", [BODY + b"\n", json.dumps(json.loads(BODY)).encode(), b"", BODY[:-1]])
def test_a_body_that_is_not_the_raw_one_fails(body: bytes) -> None:
    assert check_delivery(body, HEADERS, [KEY], NOW).flaw is Flaw.SIGNATURE


def test_another_timestamp_with_the_old_signature_fails() -> None:
    headers = {**HEADERS, "X-Lamina-Webhook-Timestamp": "1767225601"}
    assert check_delivery(BODY, headers, [KEY], NOW).flaw is Flaw.SIGNATURE


@pytest.mark.parametrize(("seconds", "is_genuine"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_freshness_counts_in_both_directions(seconds: int, is_genuine: bool) -> None:
    verdict = check_delivery(BODY, HEADERS, [KEY], NOW + timedelta(seconds=seconds))
    assert (verdict.flaw is None) is is_genuine
    assert is_genuine or verdict.flaw is Flaw.STALE


def test_the_request_id_must_be_the_runs_where_there_is_one() -> None:
    other = {**HEADERS, "X-Lamina-Webhook-Request-Id": "another"}
    without = {name: value for name, value in HEADERS.items() if not name.endswith("Id")}
    assert check_delivery(BODY, other, [KEY], NOW).flaw is Flaw.REQUEST_ID
    assert check_delivery(BODY, without, [KEY], NOW).flaw is None


def test_header_names_are_read_in_any_case() -> None:
    assert check_delivery(BODY, {name.lower(): value for name, value in HEADERS.items()}, [KEY], NOW).flaw is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Lamina-Webhook-Signature", ""),
        ("X-Lamina-Webhook-Signature", SIGNATURE[:-1]),
        ("X-Lamina-Webhook-Signature", SIGNATURE + "0"),
        ("X-Lamina-Webhook-Signature", SIGNATURE + "\n"),
        ("X-Lamina-Webhook-Signature", "zz" + SIGNATURE[2:]),
        ("X-Lamina-Webhook-Timestamp", ""),
        ("X-Lamina-Webhook-Timestamp", "-1767225600"),
        ("X-Lamina-Webhook-Timestamp", "1767225600.0"),
        ("X-Lamina-Webhook-Timestamp", "١٧٦٧٢٢٥٦٠٠"),  # digits, but not the ones that were signed
        ("X-Lamina-Webhook-Timestamp", "9" * 5000),
        ("X-Lamina-Webhook-Timestamp", "1767225600\n"),
    ],
)
def test_malformed_headers_fail_before_anything_is_computed(name: str, value: str) -> None:
    assert check_delivery(BODY, {**HEADERS, name: value}, [KEY], NOW).flaw is Flaw.HEADERS


def test_any_key_of_the_set_counts_and_broken_ones_are_skipped() -> None:
    broken: list[dict[str, object]] = [
        {},
        {"kty": "RSA", "n": "x"},
        {**KEY, "x": None},
        {**KEY, "x": "not base64!"},
        {**KEY, "x": "AAAA"},
        {**KEY, "x": "é"},
        {**KEY, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
    ]
    assert check_delivery(BODY, HEADERS, [*broken, KEY], NOW).flaw is None
    assert check_delivery(BODY, HEADERS, broken, NOW).flaw is Flaw.SIGNATURE
    assert check_delivery(BODY, HEADERS, [], NOW).flaw is Flaw.SIGNATURE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{not json",
        b"\xff\xfe",
        b'{"data":null}',
        b'{"data":[]}',
        b'{"data":{}}',
        b'{"runId":"r1","status":"completed"}',
        b'{"data":{"runId":""}}',
        b'{"data":{"runId":"   "}}',
        b'{"data":{"runId":["r1"]}}',
        b"[" * 100_000,
    ],
)
def test_a_genuine_body_that_names_no_run_fails(body: bytes) -> None:
    assert check_delivery(body, signed(body), [KEY], NOW).flaw is Flaw.BODY


def test_the_older_dialect_is_read() -> None:
    body = b'{"data":{"executionId":"exec_1","status":"failed","errorMessage":"Insufficient credits"}}'
    verdict = check_delivery(body, signed(body, **{"X-Lamina-Webhook-Request-Id": "exec_1"}), [KEY], NOW)
    assert (verdict.flaw, verdict.run_id) == (None, "exec_1")
    assert verdict.snapshot is not None
    assert verdict.snapshot.is_insufficient_credits


@given(body=st.binary(max_size=300), timestamp=st.text(max_size=20), signature=st.text(max_size=140))
def test_no_delivery_raises(body: bytes, timestamp: str, signature: str) -> None:
    headers = {"X-Lamina-Webhook-Signature": signature, "X-Lamina-Webhook-Timestamp": timestamp}
    assert check_delivery(body, headers, [KEY], NOW).flaw is not None
    assert check_delivery(body, signed(body), [KEY], NOW).flaw in {Flaw.BODY, None}
