"""Makes a first picture on a running portal, over HTTP: `python -m tests.smoke [address] [--fresh]`.

Signs in with the sandbox's demo account, opens an app, fills in its form, presses Run, waits for the picture and
fetches it. With `--fresh`, it also waits for an example run, removes the examples, and restores them. Exits with 0 only
if everything works.
"""

import io
import re
import sys
import time
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests
from PIL import Image

TIMEOUT_SECONDS = 120.0
WANTED = ("cartoonify",)  # if this app is missing, the first one is used
# Only a picture in a result's box counts: the uploaded photo is on the page from the start.
RESULT = r'(?s)<figure\s+class="output output-ready(?:(?!</figure>).)*?<img[^>]*\ssrc="(/files/[^"]+)"'
Files = dict[str, tuple[str, bytes, str]]


class FormReader(HTMLParser):
    """Reads the fields of the form `app-form` as a browser without scripts would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[str, str]] = []
        self.radios: dict[str, list[str]] = {}
        self.selects: dict[str, list[str]] = {}
        self.files: list[str] = []
        self.is_there = self._is_inside = False
        self._area = self._select = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._is_inside = at.get("id") == "app-form"
            self.is_there = self.is_there or self._is_inside
        name = at.get("name", "")
        if tag == "option" and self._select:
            self.selects[self._select].append(at.get("value", ""))
            if "selected" in at:
                self.pairs.append((self._select, at.get("value", "")))
        if not self._is_inside or not name or "disabled" in at:
            return
        if tag == "textarea":
            self._area = name
            self.pairs.append((name, ""))
        elif tag == "select":
            self._select = name
            self.selects[name] = []
        elif tag == "input":
            self._take_input(name, at)

    def _take_input(self, name: str, at: dict[str, str]) -> None:
        kind = at.get("type", "text")
        if kind == "file":
            self.files.append(name)
        elif kind == "radio":
            self.radios.setdefault(name, []).append(at.get("value", "on"))
        if kind in ("hidden", "text", "url") or (kind in ("radio", "checkbox") and "checked" in at):
            self.pairs.append((name, at.get("value", "on" if kind in ("radio", "checkbox") else "")))

    def handle_data(self, data: str) -> None:
        if self._area:
            name, value = self.pairs.pop()
            self.pairs.append((name, (value + data).removeprefix("\n")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        elif tag == "textarea":
            self._area = ""
        elif tag == "select":
            self._select = ""

    def filled(self) -> tuple[list[tuple[str, str]], Files]:
        """Fill in the remaining fields: choose the first option where none is chosen, put words into empty text fields,
        and add a photo to each file field."""
        pairs = [
            (name, value or ("a cat on a sofa" if re.fullmatch(r"p\d+", name) else "")) for name, value in self.pairs
        ]
        given = {name for name, value in pairs if value}
        for name, values in (self.radios | self.selects).items():
            if name not in given and any(values):
                pairs.append((name, next(filter(None, values))))
        return pairs, {name: ("photo.png", photo(), "image/png") for name in self.files}


def photo() -> bytes:
    """Return a small picture to upload."""
    data = io.BytesIO()
    Image.linear_gradient("L").resize((320, 240)).convert("RGB").save(data, "PNG")
    return data.getvalue()


def say(sentence: str) -> None:
    sys.stdout.write(f"smoke: {sentence}\n")
    sys.stdout.flush()


class Visitor:
    """A browser without scripts."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.page = ""  # the page that the last press led to

    def get(self, path: str) -> str:
        answer = self.session.get(urljoin(self.url, path), timeout=30)
        answer.raise_for_status()
        return answer.text

    def wait_for(self, path: str, pattern: str) -> "re.Match[str]":
        """Keep reloading the page until it contains `pattern`, as it would reload itself in a browser without
        scripts."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not (found := re.search(pattern, page := self.get(path))):
            if time.monotonic() > deadline:
                raise SystemExit(f"smoke: {path} never showed {pattern}; it ends with:\n{page[-3000:]}")
            time.sleep(0.5)
        return found

    def sign_in(self, email: str, password: str) -> None:
        self.get("/login/")
        form = {"username": email, "password": password, "csrfmiddlewaretoken": self.session.cookies["csrftoken"]}
        answer = self.session.post(urljoin(self.url, "/login/"), form, timeout=30, allow_redirects=False)
        if answer.status_code != 302:
            raise SystemExit(f"smoke: signing in was answered with {answer.status_code}")

    def run_app(self, path: str) -> str:
        """Fill in and post the form of the app at `path`; return the path of the run."""
        self.wait_for(path, r'id="app-form"')
        reader = FormReader()
        reader.feed(self.get(path))
        pairs, files = reader.filled()
        headers = {"Referer": urljoin(self.url, path)}
        answer = self.session.post(
            urljoin(self.url, path), pairs, files=files or None, headers=headers, timeout=60, allow_redirects=False
        )
        found = re.search(r"/runs/[^/?#]+/", answer.headers.get("Location", ""))
        if found is None:
            said = re.sub(r"<[^>]+>|\s+", " ", answer.text)
            raise SystemExit(f"smoke: Run was answered with {answer.status_code}: {said[:3000]}")
        return found[0]

    def press(self, action: str) -> None:
        """Press the button on Home that posts to `action`, and keep the page that follows for the next press."""
        found = re.search(
            rf'(?s)action="{action}">.*?name="csrfmiddlewaretoken" value="([^"]+)"', self.page or self.get("/")
        )
        if found is None:
            raise SystemExit(f"smoke: Home has no button for {action}")
        form, headers = {"csrfmiddlewaretoken": found[1]}, {"Referer": self.url}
        answer = self.session.post(urljoin(self.url, action), form, headers=headers, timeout=30)
        answer.raise_for_status()
        self.page = answer.text

    def fetch_picture(self, path: str) -> tuple[int, int]:
        """Fetch a picture from the portal; return its width and height."""
        answer = self.session.get(urljoin(self.url, path), timeout=30)
        answer.raise_for_status()
        return Image.open(io.BytesIO(answer.content)).size


def check_examples(visitor: Visitor) -> None:
    """Remove the examples, and undo the removal."""
    visitor.wait_for("/", "Start with an empty portal")
    say("there are example runs")
    visitor.press("/examples/clear/")
    visitor.press("/examples/restore/")
    visitor.wait_for("/", "Start with an empty portal")
    say("they go and come back in one press")


def main(url: str, *, is_fresh: bool) -> None:
    visitor = Visitor(url)
    visitor.sign_in("demo@example.com", "demo")
    say("signed in as demo@example.com")
    visitor.wait_for("/", r'href="(/apps/[^"/]+-[^"/]+/)"')
    apps = list(dict.fromkeys(re.findall(r'href="(/apps/[^"/]+-[^"/]+/)"', visitor.get("/"))))
    app = next((app for app in apps if any(word in app for word in WANTED)), apps[0])
    run = visitor.run_app(app)
    say(f"started {app} as {run}")
    picture = visitor.wait_for(run, RESULT)[1]
    width, height = visitor.fetch_picture(picture)
    say(f"the first picture is there, {width} by {height}")
    visitor.wait_for("/history/", re.escape(run))
    say("and it is in History")
    if is_fresh:
        check_examples(visitor)


if __name__ == "__main__":
    given = [word for word in sys.argv[1:] if not word.startswith("-")]
    main(given[0] if given else "http://127.0.0.1:8000", is_fresh="--fresh" in sys.argv)
