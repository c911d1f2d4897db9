"""Bad files and links: the field shows a message, no run starts, and nothing is charged."""

import pytest
from django.http import HttpResponse

from runs.models import App, Member, Run, Upload
from runs.models.messages import Message, Value
from runs.storage.fetch import LIMITS
from runs.words.messages import say
from runs.words.run_failures import FAILURES
from tests.hostile.apps import EVERYTHING
from tests.hostile.browser import Browser
from tests.hostile.faults import known
from tests.hostile.form import File, Form
from tests.hostile.media import HTML, SVG, png, wav
from tests.support.hostile_server import bomb_png
from tests.support.page import Page, errors_of
from tests.support.quick_portal import is_at_rest, step, work_until
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)


def said(code: str, **values: Value) -> str:
    return say(Message(code, values))


NO_LINK, NOT_HTTPS, PRIVATE, BROKEN = map(said, ("no_link", "not_https", "private_address", "broken_picture"))
ELSE = said("wrong_kind", wanted_kinds="image", given_kind="other")
FILES = {
    "too large": (File("big.png", png().content + bytes(3000), "image/png"), "the limit here is"),
    "wrong type": (wav(), said("wrong_kind", wanted_kinds="image", given_kind="audio")),
    "broken": (File("half.png", png().content[:60], "image/png"), BROKEN),
    "empty": (File("empty.png", b"", "image/png"), "That file is empty."),
    "html": (File("page.png", HTML, "image/png"), ELSE),
    "svg": (File("logo.png", SVG, "image/png"), said("svg")),
    "bomb": (File("bomb.png", bomb_png(), "image/png"), "over 70 million pixels"),
    "hostile name": (File("../../<img src=x onerror=alert(1)>\x01.png", HTML), ELSE),
}


@pytest.fixture
def app(lamina_door: SandboxDoor) -> App:
    return known(lamina_door, EVERYTHING)


@pytest.fixture
def form(browser: Browser, app: App) -> Form:
    """The app's form, completely filled in except for the photo."""
    return browser.open(app).set("p0", "note").set("p1", "1")


@pytest.mark.parametrize("name", FILES)
def test_files(
    browser: Browser, app: App, form: Form, name: str, monkeypatch: pytest.MonkeyPatch, lamina_door: SandboxDoor
) -> None:
    if name == "too large":
        monkeypatch.setattr("runs.uploads.file_limits.LIMITS", dict.fromkeys(LIMITS, 2000))
    file, sentence = FILES[name]

    told = errors_of(browser.refused(form.attach("p2", file).attach("p3", png())))
    tile = send_at_once(browser, app, file=file)

    assert list(told) == ["Photo"]
    assert sentence in told["Photo"]
    assert tile.status_code == 422
    assert sentence in Page(tile.content.decode()).first(css="upload-error").words
    assert Upload.objects.count() == 1  # the other field's good file is kept
    assert len(browser.open(app).all("p3_kept")) == 1
    assert not Run.objects.exists()
    assert not lamina_door.requests_to("upload_urls")


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("no link at all", NO_LINK),
        ("https://", NO_LINK),
        ("https://exa mple.com/a.png", NO_LINK),
        ("javascript:alert(1)", NOT_HTTPS),
        ("file:///etc/passwd", NOT_HTTPS),
        ("http://example.com/a.png", NOT_HTTPS),
        ("https://127.0.0.1/a.png", PRIVATE),
        ("https://10.0.0.1/a.png", PRIVATE),
        ("https://169.254.169.254/latest/meta-data", PRIVATE),
        ("https://[::1]/a.png", PRIVATE),
        ("https://2130706433/a.png", PRIVATE),
        ("https://localhost/a.png", PRIVATE),
        ("https://printer.local/a.png", PRIVATE),
        ("https://me:secret@example.com/a.png", said("with_password")),
    ],
)
def test_links_refused_without_opening_them(browser: Browser, app: App, form: Form, link: str, sentence: str) -> None:
    page = browser.refused(form.set("p2_link", link))
    tile = send_at_once(browser, app, link=link)

    assert errors_of(page) == {"Photo": sentence}
    assert Form.on(page.html).get("p2_link") == link  # kept in the form so that people can correct it
    assert Page(tile.content.decode()).first(css="upload-error").words.startswith(sentence)
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("path", "fault", "sentence"),
    [
        ("/outputs/none/0.jpg", None, said("not_there")),
        ("/thumbs/sandbox-caption.webp", {"fault": "html", "status": 200}, "That link leads to a web page"),
        ("/thumbs/sandbox-caption.webp", {"fault": "empty"}, said("empty_at_address")),
        ("/thumbs/sandbox-caption.webp", {"fault": "garbage"}, ELSE),
        ("/thumbs/sandbox-caption.webp", {"fault": "drop_before"}, said("unreachable")),
    ],
    ids=["404", "web page", "empty", "garbage", "dropped"],
)
def test_links_that_lead_to_nothing(
    lamina_door: SandboxDoor, browser: Browser, app: App, path: str, fault: dict[str, object] | None, sentence: str
) -> None:
    """If the form is submitted before the link has been checked, the run waits for the file, fails without starting on
    Lamina, and leads back to the field."""
    if fault:
        lamina_door.control("faults", endpoint="file", times=None, **fault)
    form = browser.open(app).set("p0", "note").set("p1", "1").set("p2_link", lamina_door.url + path)
    run = browser.press(form)
    work_until(is_at_rest)

    page = browser.page(run.get_absolute_url())
    assert page.first(css="run-failure-sentence").words == str(FAILURES["files"][0])
    assert sentence in page.first("blockquote").words
    assert not lamina_door.requests_to("run_start")
    again = browser.page(page.first(id="run-action").attributes["href"])
    assert sentence in errors_of(again)["Photo"]
    assert Form.on(again.html).get("p0") == "note"


def test_a_link_found_bad_while_the_form_is_open(lamina_door: SandboxDoor, browser: Browser, app: App) -> None:
    tile = send_at_once(browser, app, link=f"{lamina_door.url}/outputs/none/0.jpg")
    upload = Upload.objects.get()
    assert "Reading the link" in tile.content.decode()
    step()

    told = browser.page(f"/uploads/{upload.public_id}/", field="p2")
    form = browser.open(app).set("p0", "note").set("p1", "1").set("p2_kept", upload.public_id)

    assert "There is no file at that address any more." in told.words
    assert "can't be used. Remove or replace it." in errors_of(browser.refused(form))["Photo"]
    assert not Run.objects.exists()


def test_somebody_elses_upload(browser: Browser, app: App, form: Form, bob: Member) -> None:
    send_at_once(Browser.of(bob), app, file=png(name="bobs-secret.png"))
    theirs = Upload.objects.get()

    page = browser.refused(form.set("p2_kept", theirs.public_id))

    assert errors_of(page) == {"Photo": "One file is no longer available. Add it again."}
    assert "bobs-secret" not in page.html
    assert browser.get(f"/uploads/{theirs.public_id}/").status_code == 404
    assert theirs.file is not None
    assert browser.get(theirs.file.original_url).status_code == 404


def test_a_file_lamina_has_lost_is_sent_again(lamina_door: SandboxDoor, browser: Browser, app: App) -> None:
    """Lamina gave the upload an address, but lost its content. This mustn't make the next run fail as well."""
    lamina_door.control("faults", endpoint="upload_put", fault="empty")  # accepts the file, but discards its content
    run = browser.press(browser.open(app).set("p0", "note").set("p1", "1").attach("p2", png()))
    work_until(is_at_rest)
    assert Run.objects.get(pk=run.pk).failure == "inputs"

    back = browser.page(browser.page(run.get_absolute_url()).first(id="run-action").attributes["href"])
    again = browser.press(Form.on(back.html))
    work_until(is_at_rest)

    assert Run.objects.get(pk=again.pk).status == "completed"


def send_at_once(browser: Browser, app: App, *, file: File | None = None, link: str = "") -> HttpResponse:
    """Send the request that the page's script sends as soon as a file or a link is added."""
    form = Form("/uploads/", [("app", app.public_id), ("field", "p2"), ("link", link)])
    if file is not None:
        form.files.append(("file", file))
    return browser.send(form)
