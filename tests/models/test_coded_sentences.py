"""Sentences stored by older versions are shown in the current wording."""

import json
import re
from importlib import import_module

import pytest

from runs.models.messages import Message
from runs.words.messages import SENTENCES, say

migration = import_module("runs.migrations.0024_messages_by_code")

WITH_VALUES = {
    "That file is larger than the limit of 50 MB.": {"code": "too_large_to_fetch", "limit_bytes": 50_000_000},
    "That file is larger than the limit of 1.5 GB.": {"code": "too_large_to_fetch", "limit_bytes": 1_500_000_000},
    "This field takes a picture or a video, but that file is something else.": {
        "code": "wrong_kind",
        "wanted_kinds": "image video",
        "given_kind": "other",
    },
    "This app has 3,000 inputs; forms here have at most 200.": {"code": "too_many_inputs", "asked": 3000, "limit": 200},
    "This app makes 201 results; forms here offer at most 200.": {
        "code": "too_many_results",
        "made": 201,
        "limit": 200,
    },
    "This app's form is too large: 3,000 KB of at most 512 KB.": {
        "code": "form_too_large",
        "size_bytes": 3_072_000,
        "limit_bytes": 524_288,
    },
    "The worker process 7 on h ended without being asked to.": {
        "code": "worker_killed",
        "worker": "process 7 on h",
    },
    "The worker was killed by SIGKILL; it was started again.": {"code": "worker_signalled", "signal": "SIGKILL"},
    "Lamina gave status 502 for “runs”.": {"code": "lamina_status", "endpoint": "runs", "status": "502"},
    "Lamina gave no answer for “runs”.": {"code": "lamina_no_answer", "endpoint": "runs"},
    "Run abc was started a second time at Lamina; that one was cancelled.": {
        "code": "second_start_cancelled",
        "run": "abc",
    },
    "Run abc was started a second time at Lamina; that one could not be cancelled. It is called r-1 there.": {
        "code": "second_start_goes_on",
        "run": "abc",
        "remote": "r-1",
    },
    "A result of run abc could not be saved: There is no file at that address any more.": {
        "code": "result_not_saved",
        "run": "abc",
        "reason_message": '{"code": "not_there"}',
    },
    "The storage holds 12 old files that the database does not know, and 3 that it knows. Nothing was removed.": {
        "code": "many_strays",
        "strays": 12,
        "known": 3,
    },
}


@pytest.mark.parametrize("sentence", WITH_VALUES)
def test_a_sentence_with_values_becomes_a_code_with_values(sentence: str) -> None:
    assert json.loads(migration.coded(sentence)) == WITH_VALUES[sentence]


@pytest.mark.parametrize("sentence", [*migration.PLAIN, *WITH_VALUES])
def test_every_sentence_can_still_be_said(sentence: str) -> None:
    message = Message.from_stored(migration.coded(sentence))
    assert message.code in SENTENCES
    assert say(message) != message.code, "its values are missing"
    assert not re.search(r"%\(", say(message))


def test_a_silent_worker_keeps_its_time() -> None:
    message = Message.from_stored(
        migration.coded("The worker process 7 on h has given no sign of life since 05 March, 14:07:09.")
    )
    assert message.code == "worker_silent"
    assert "14:07:09" in say(message)


@pytest.mark.parametrize("json_text", ['{"code": "INTERNAL", "message": "Boom"}', '{"code": "disk_full"}', "{"])
def test_json_of_somebody_else_is_quoted(json_text: str) -> None:
    assert Message.from_stored(migration.coded(json_text)) == Message(quote=json_text)


@pytest.mark.parametrize("sentence", ["", "Style is none of the options.", "It is called r-1 there."])
def test_what_is_none_of_ours_stays_as_it_came(sentence: str) -> None:
    assert migration.coded(sentence) == sentence
