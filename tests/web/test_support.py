"""What people copy for support: a sentence with the app, the reference, the time and the message that was shown."""

import json
import logging
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from runs.models import Draft, Member, Upload
from runs.models.messages import Message
from runs.schema_forms.answers import Answer, Files
from runs.storage.fetch import FetchFailed
from runs.uploads.uploads import fetch_upload
from runs.web.time_zone import COOKIE
from tests.support.factories import PICTURE, make_app, make_run
from tests.support.page import Page

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 5, 23, 30, 9, tzinfo=UTC)


def words_of(page: str) -> str:
    """Return the page's sentence for support, which people can also select by hand."""
    found = re.search(r'class="support-words"[^>]*>(.*?)</p>', page, re.S)
    assert found, page
    return found[1]


def test_a_failed_run_has_a_sentence_to_copy(as_alice: Client, alice: Member) -> None:
    run = make_run(
        alice, status="failed", failure="remote", failure_text="No face.", finished_at=AT, request_id="req_77"
    )
    as_alice.cookies[COOKIE] = "Europe/Berlin"
    page = as_alice.get(run.get_absolute_url()).text
    assert words_of(page) == (
        "On 6 March 2026, 00:30 (Berlin, UTC+1), Lamina Portal showed this message about “Cartoonify!” "
        f"(reference {run.public_id} req_77): “Lamina couldn&#x27;t complete this run. No face.”"
    )
    # without scripts, the button is hidden, and people copy the sentence by hand
    assert re.search(r'data-copy="run-support"[^>]*hidden', page)


def test_a_refused_file_has_one_whose_reference_is_in_the_log(
    as_alice: Client, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(parameters=[PICTURE])
    posted = {"app": app.public_id, "field": "p0", "file": SimpleUploadedFile("notes.txt", b"no picture")}
    answer = as_alice.post("/uploads/", posted)
    assert answer.status_code == 422
    found = re.fullmatch(
        r"On \d+ \w+ \d+, \d\d:\d\d \(UTC\), "
        r"Lamina Portal showed this message about the file “notes\.txt” for “Cartoonify!” \(reference (\w+)\): “.+”",
        words_of(answer.text),
    )
    assert found
    assert f"reference {found[1]} " in caplog.text
    assert "notes" not in caplog.text


def test_a_failed_link_has_one_that_says_when_and_where_it_failed(
    as_alice: Client, as_admin: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(parameters=[PICTURE])
    posted = {"app": app.public_id, "field": "p0", "link": "https://example.com/a.png"}
    tile = Page(as_alice.post("/uploads/", posted).text).first("li").attributes
    upload = Upload.objects.get()
    Upload.objects.update(created_at=AT - timedelta(minutes=9), used_at=AT - timedelta(minutes=9))

    with monkeypatch.context() as patch:
        patch.setattr("django.utils.timezone.now", lambda: AT)
        patch.setattr("runs.uploads.uploads._fetch_link", not_there)
        fetch_upload(upload.pk)

    answer = Answer("Photo", "", "u-1", "url", Files((upload.public_id,)))
    Draft.objects.create(member=upload.member, app=app, answers=[answer])
    asked = as_alice.get(f"{tile['hx-get']}&{urlencode(json.loads(tile['hx-vals']))}")
    for page in (asked.text, as_alice.get(app.get_absolute_url()).text):
        assert words_of(page).startswith(
            "On 5 March 2026, 23:30 (UTC), Lamina Portal showed this message about the file “a.png” for “Cartoonify!” "
            f"(reference {upload.public_id}): “"
        )
    assert f"reference {upload.public_id} " in caplog.text
    record = Page(as_admin.get("/manage/log/", {"about": f"upload:{upload.public_id}"}).text)
    assert "Alice" in record.first(id="log-results").words


def not_there(*_: object) -> None:
    raise FetchFailed(Message("not_there"))


@pytest.mark.parametrize(("path", "told"), [("/me/", "/me/"), ("/s/secret-token/", "/s/•••/")])
def test_a_broken_page_has_one_whose_reference_is_in_the_log(
    as_alice: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, path: str, told: str
) -> None:
    monkeypatch.setattr("runs.team.views_me.sessions.sessions_of", lambda *_: 1 / 0)
    monkeypatch.setattr("runs.sharing.views_guest_base.render", lambda *_, **__: 1 / 0)
    as_alice.raise_request_exception = False
    with caplog.at_level(logging.ERROR):
        answer = as_alice.get(path)
    assert answer.status_code == 500
    pattern = r"message at (\S+) \(reference (\w+)\): “Something went wrong on our side”"
    found = re.search(pattern, words_of(answer.text))
    assert found
    assert found[1] == told
    assert found[2] in caplog.text


@pytest.mark.parametrize("is_admin", [True, False])
def test_a_form_that_was_refused_for_its_size_has_one_and_says_what_one_can_do(
    as_alice: Client, as_admin: Client, monkeypatch: pytest.MonkeyPatch, *, is_admin: bool
) -> None:
    client, app = as_admin if is_admin else as_alice, make_app(parameters=[PICTURE])
    monkeypatch.setattr("runs.web.body_limits.SPARE_BYTES", 10**18)
    posted = {"p0_file": SimpleUploadedFile("a.png", bytes(2_000_000))}
    full = client.post(app.get_absolute_url(), posted)
    assert full.status_code == 507
    assert ("Ask an admin" in full.text) is not is_admin
    assert ("/manage/keeping/" in full.text) is is_admin
    assert "The portal&#x27;s disk is nearly full" in words_of(full.text)
    monkeypatch.setattr("django.conf.settings.MAX_BODY_BYTES", 1_000_000)
    large = client.post(app.get_absolute_url(), {"p0_file": SimpleUploadedFile("a.png", bytes(2_000_000))})
    assert large.status_code == 413
    assert "That&#x27;s too much at once" in words_of(large.text)


def test_no_admin_is_told_to_ask_one(rf: RequestFactory, alice: Member, admin_member: Member) -> None:
    for member, is_told in ((alice, True), (admin_member, False)):
        request = rf.get("/")
        request.user = member
        shown = render_to_string("403.html", {"exception": ""}, request)
        assert ("ask an admin" in shown) is is_told
