"""Parses a page into elements and text as a browser does, and checks for things that must not be in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
VOID |= {"rect", "circle", "path", "line", "use"}  # the shapes in icons, with or without a closing tag
ADDRESSES = ("href", "src", "action", "formaction", "poster", "hx-get", "hx-post", "data", "xlink:href")
FORBIDDEN = {"iframe", "object", "embed", "base", "frame", "applet", "style", "b", "marquee", "math", "foreignobject"}
OWN_ADDRESS = re.compile(r"(/(?!/)|\?|#|$)")
OWN_REFRESH = re.compile(r"\d+(;url=(/(?!/)|\?)[^;\s]*)?$")  # leads to the same page, or to another page of the portal


@dataclass
class Element:
    """One element with everything in it. `text` is what a reader sees, but with the source's white space."""

    tag: str
    attributes: dict[str, str]
    parent: "Element | None" = None
    children: "list[Element]" = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    own_pieces: list[str] = field(default_factory=list)  # excluding its children's text

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def words(self) -> str:
        """`text` with collapsed white space, as shown."""
        return " ".join(self.text.split())

    def walk(self) -> "Iterator[Element]":
        """Yield this element and everything in it, in page order."""
        waiting = [self]  # not recursive, because recursion would pass each element up through every level above it
        while waiting:
            element = waiting.pop()
            yield element
            waiting += reversed(element.children)

    def find(self, tag: str = "", *, css: str = "", id: str = "") -> "list[Element]":
        return [
            e
            for e in self.walk()
            if (not tag or e.tag == tag) and (not css or css in e.classes) and (not id or e.attributes.get("id") == id)
        ]

    def first(self, tag: str = "", *, css: str = "", id: str = "") -> "Element":
        found = self.find(tag, css=css, id=id)
        assert found, f"no {tag}.{css}#{id} in <{self.tag}>"
        return found[0]

    def inside(self, class_name: str) -> bool:
        """Return whether this element is inside one with the class `class_name`."""
        up = self.parent
        while up is not None:
            if class_name in up.classes:
                return True
            up = up.parent
        return False


class Page(HTMLParser):
    """HTML parsed into elements; `find` and `first` search by tag, class or id."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.root = Element("#page", {})
        self._open = [self.root]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in reversed(attrs)}, self._open[-1])
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self._open) - 1, 0, -1):
            if self._open[depth].tag == tag:
                del self._open[depth:]
                return

    def handle_data(self, data: str) -> None:
        self._open[-1].own_pieces.append(data)
        for element in self._open:
            element.pieces.append(data)

    @property
    def words(self) -> str:
        return self.root.words

    def find(self, tag: str = "", *, css: str = "", id: str = "") -> list[Element]:
        return self.root.find(tag, css=css, id=id)

    def first(self, tag: str = "", *, css: str = "", id: str = "") -> Element:
        return self.root.first(tag, css=css, id=id)

    def dangers(self) -> list[str]:
        """List everything that doesn't come from our templates and could run, load something or lead to another
        site."""
        return [f"{why}: <{e.tag} {e.attributes}>" for e in self.root.walk() for why in _dangers(e)]


def _dangers(element: Element) -> Iterator[str]:
    tag, attributes = element.tag, element.attributes
    if tag in FORBIDDEN or (tag == "i" and not element.inside("output-wait")):
        yield "a forbidden element"
    if tag == "script" and (element.text.strip() or not attributes.get("src", "").startswith("/static/")):
        yield "a script of somebody else"
    if tag == "img" and attributes.get("src") and not re.match(r"/(files|static)/", attributes["src"]):
        yield "a picture from elsewhere"
    if tag == "meta" and "refresh" in attributes.get("http-equiv", "") and not OWN_REFRESH.match(attributes["content"]):
        yield "a redirect"
    for name, value in attributes.items():
        if name.startswith("on") or name == "style" or "hx-on" in name:
            yield f"the attribute {name}"
        is_known = OWN_ADDRESS.match(value) or _is_original_link(element, value) or _is_mail(element, value)
        if name in ADDRESSES and not is_known:
            yield f"an address outside, {value!r}"


def _is_original_link(element: Element, address: str) -> bool:
    """Return whether this is a link, with `noopener`, to the original of a result that couldn't be saved."""
    is_link = element.tag == "a" and element.inside("output-links") and re.match(r"https?://", address) is not None
    return is_link and "noopener" in element.attributes.get("rel", "")


def _is_mail(element: Element, address: str) -> bool:
    """Return whether this is the button for writing to the admins."""
    return element.attributes.get("id") == "run-action" and address.startswith("mailto:")


def errors_of(page: Page) -> dict[str, str]:
    """Return the messages in the error list, by label. Each must link to its field and also be shown beside it."""
    found = {}
    for line in page.first(id="errors").find("li"):
        link = line.first("a")
        assert page.find(id=link.attributes["href"].removeprefix("#")), f"{link.words} leads nowhere"
        found[link.words] = line.words.removeprefix(f"{link.words}: ")
    beside = [e.words for e in page.find(css="field-error")]
    assert all(sentence in beside for sentence in found.values())
    return found
