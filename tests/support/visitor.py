"""A member's browser without scripts, for benchmarks that need many browsers or fast ones."""

from html.parser import HTMLParser
from typing import TYPE_CHECKING

import requests
from django.conf import settings
from django.test import Client
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from runs.models import Member

MOST_AT_ONCE = 64  # maximum number of connections at the same time
TYPED = "A red bicycle beside a calm lake"
Pairs = list[tuple[str, str]]


def session_cookie(member: "Member") -> tuple[str, str]:
    """Return the name and value of the session cookie of `member`."""
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member)
    return settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value


class Visitor:
    """A signed-in browser that keeps its connection and its cookies."""

    def __init__(self, url: str, member: "Member") -> None:
        self.url = url
        self.session = requests.Session()
        self.session.mount(url, HTTPAdapter(pool_maxsize=MOST_AT_ONCE))
        self.session.cookies.set(*session_cookie(member))

    def get(self, path: str, **headers: str) -> requests.Response:
        """Return the response to GET `path`, following redirects. Raises for 4xx and 5xx."""
        answer = self.session.get(f"{self.url}{path}", headers=headers, timeout=60)
        answer.raise_for_status()
        return answer

    def post(self, path: str, fields: dict[str, str]) -> requests.Response:
        """POST to `path` and return the response, without following redirects. Raises for 4xx and 5xx."""
        sent = {"Origin": self.url, "Referer": f"{self.url}/"}
        url = f"{self.url}{path}"
        answer = self.session.post(url, data=fields, headers=sent, allow_redirects=False, timeout=60)
        answer.raise_for_status()
        return answer

    def open_form(self, path: str) -> Pairs:
        """Return what a browser would post from the app page at `path`, with every empty field filled in."""
        reader = FormReader("app-form")
        reader.feed(self.get(path).text)
        if not reader.pairs:
            raise RuntimeError(f"there is no form on {path}")
        return reader.filled()

    def press_run(self, path: str, pairs: Pairs) -> requests.Response:
        """Post the form of the app page at `path`; return the redirect to the run without following it. Raises if the
        response isn't a redirect."""
        files = [(name, (None, value)) for name, value in pairs]  # multipart, as the page's form specifies
        answer = self.session.post(f"{self.url}{path}", files=files, allow_redirects=False, timeout=60)
        if answer.status_code != 302:
            raise RuntimeError(f"Run was answered with {answer.status_code}")
        return answer


class FormReader(HTMLParser):
    """Reads a form's fields as a browser without scripts would send them."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.is_inside = False
        self.pairs: Pairs = []
        self.radios: dict[str, list[str]] = {}  # every group's values
        self._text_name = ""
        self._text = ""
        self._select: dict[str, list[str]] = {}
        self._select_name = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.is_inside = given.get("id") == self.form_id
        if not self.is_inside:
            return
        if tag == "input" and "name" in given:
            self._input(given)
        elif tag == "textarea":
            self._text_name, self._text = given.get("name", ""), ""
        elif tag == "select":
            self._select_name = given.get("name", "")
            self._select[self._select_name] = []
        elif tag == "option" and self._select_name:
            values = self._select[self._select_name]
            values.insert(0 if "selected" in given else len(values), given.get("value", ""))

    def _input(self, given: dict[str, str]) -> None:
        kind, name, value = given.get("type", "text"), given["name"], given.get("value", "")
        if kind == "radio":
            self.radios.setdefault(name, []).append(value)
        if kind in {"radio", "checkbox"} and "checked" not in given:
            return
        if kind not in {"file", "submit", "button", "search"}:
            self.pairs.append((name, value))

    def handle_data(self, data: str) -> None:
        self._text += data if self._text_name else ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._text_name:
            self.pairs.append((self._text_name, self._text.strip() or TYPED))
            self._text_name = ""
        elif tag == "select" and self._select_name:
            values = self._select[self._select_name]
            chosen = next((value for value in values if value), "")
            self.pairs.append((self._select_name, chosen))
            self._select_name = ""
        elif tag == "form":
            self.is_inside = False

    def filled(self) -> Pairs:
        """Return the fields, choosing the first option in every group where none is chosen."""
        chosen = {name for name, _ in self.pairs}
        first = [(name, next(filter(None, values), "")) for name, values in self.radios.items() if name not in chosen]
        return [*self.pairs, *first]
