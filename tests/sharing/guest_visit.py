"""A guest on a link's page, as in a browser without cookies or scripts: fills in the forms and presses buttons."""

from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from runs.models import GuestLink
from tests.support.guest_links import path_of
from tests.support.page import Element, Page

BROWSER = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Version/26.0 Mobile/15E148 Safari/604.1"


@dataclass
class GuestVisit:
    """One browser window. `answer` is the last response, `at` its path with query and fragment, and `sent` the data
    posted to get it; None if nothing was posted."""

    at: str
    answer: Any = None
    sent: dict[str, str] | None = None
    client: Client = field(default_factory=lambda: Client(headers={"User-Agent": BROWSER}))
    typed: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.open(self.at)

    @property
    def page(self) -> Page:
        return Page(self.answer.text)

    @property
    def words(self) -> str:
        return self.page.root.words

    @property
    def status(self) -> int:
        return int(self.answer.status_code)

    def open(self, at: str) -> "GuestVisit":
        self.at, self.answer, self.typed, self.sent = at, self.client.get(at.partition("#")[0]), {}, None
        return self

    def reload(self) -> "GuestVisit":
        """Load the page again, which sends a form again."""
        if self.sent is None:
            return self.open(self.at)
        return self.send(self.at, self.sent)

    @property
    def fields(self) -> dict[str, str]:
        """The hidden fields of the page's main form."""
        form = self.page.first("form", id="guest-form")
        return {one.attributes["name"]: one.attributes["value"] for one in form.find("input")}

    def box(self, place: str) -> Element:
        return self.page.first("section", id=place)

    def texts(self, place: str = "") -> list[str]:
        """Return the contents of all text fields or, if `place` is given, of those in that box."""
        return [text_in(area) for area in (self.box(place) if place else self.page.root).find("textarea")]

    def type(self, place: str, words: str) -> "GuestVisit":
        """Type `words` into the text field of the box `place`."""
        (area,) = (area for area in self.box(place).find("textarea") if "name" in area.attributes)
        self.typed[area.attributes["name"]] = words
        return self

    def press(self, name: str, place: str = "", /, **more: str) -> "GuestVisit":
        """Press the button called `name`, looking only in the box `place` if that is given."""
        buttons = (self.box(place) if place else self.page.root).find("button")
        (button,) = (button for button in buttons if button.attributes.get("name", "") == name)
        self.send(*self.sent_by(button, **more))
        return self

    def press_value(self, name: str, value: str) -> "GuestVisit":
        """Press the first button with this name and value."""
        buttons = self.page.root.find("button")
        button = next(b for b in buttons if (b.attributes.get("name"), b.attributes.get("value")) == (name, value))
        return self.send(*self.sent_by(button))

    def enter_code(self, code: str) -> "GuestVisit":
        """Enter the code of a guest who has answered before."""
        (button,) = (button for button in self.page.root.find("button") if button.words == "Go on")
        return self.send(*self.sent_by(button, code=code))

    def sent_by(self, button: Element, /, **more: str) -> tuple[str, dict[str, str]]:
        """Return the address that pressing `button` sends its form to, and the data it sends."""
        form = button
        if "form" in button.attributes:
            form = self.page.first("form", id=button.attributes["form"])
        while form.tag != "form":
            assert form.parent is not None
            form = form.parent
        to = button.attributes.get("formaction") or form.attributes.get("action") or self.at
        sent = {one.attributes["name"]: one.attributes.get("value", "") for one in form.find("input")}
        sent |= {one.attributes["name"]: text_in(one) for one in form.find("textarea") if "name" in one.attributes}
        pressed = {button.attributes["name"]: button.attributes.get("value", "")} if "name" in button.attributes else {}
        return to, sent | pressed | self.typed | more

    def send(self, to: str, data: dict[str, str]) -> "GuestVisit":
        """Post `data`. The response is the page itself."""
        self.answer, self.at, self.typed, self.sent = self.client.post(to.partition("#")[0], data), to, {}, data
        assert not 300 <= self.status < 400
        return self


def text_in(area: Element) -> str:
    """Return the value of a text area. Browsers ignore a line break right after its tag."""
    return area.text.removeprefix("\n")


def visit(link: GuestLink) -> GuestVisit:
    return GuestVisit(path_of(link))
