"""What guests send from a link's page. All results share one form, so everything that guests have typed is sent,
whichever button they press."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Self

from django.http import HttpRequest, QueryDict

from runs.models import Decision
from runs.web.posted import CutField, PostedForm, SwitchField

FIELD_LENGTH = 2_000
WORDS, SEEN = "words-", "seen-"  # field name prefixes, each followed by a result's id
ACTS = ("approve", "changes", "comment", "place")
VERDICTS = {"approve": Decision.Verdict.APPROVED, "changes": Decision.Verdict.CHANGES}


class PressForm(PostedForm):
    """The button that was pressed (its value is a result's id), and who pressed it."""

    approve = CutField(16)
    changes = CutField(16)
    comment = CutField(16)
    place = CutField(16)  # opens the page for marking a spot or time to comment on
    asked = SwitchField()  # the guest has already been asked for their name
    back = SwitchField()  # the guest pressed Back on the page asking for their name or comment
    opened = CutField(200)
    p = CutField(200)  # proof that the guest knows the passphrase
    n = CutField(FIELD_LENGTH)  # says who the guest is
    offer = CutField(FIELD_LENGTH)  # says who the email was for that the guest opened
    page = CutField(10)  # the number of the page that was shown
    to = CutField(10)  # the number of the page to show
    me = SwitchField()  # the email was for this guest
    other = SwitchField()  # this is somebody other than the page says
    code = CutField(100)
    name = CutField()
    email = CutField(300)
    x = CutField(20)  # a spot, as percentages
    y = CutField(20)
    at = CutField(20)  # a time in video or audio


@dataclass(frozen=True)
class GuestForm:
    """A button press on the guest page, and everything that the guest had typed there, keyed by result id."""

    act: str = ""  # "approve", "changes", "comment" or "place"
    result: str = ""
    opened: str = ""
    proof: str = ""
    guest: str = ""
    offer: str = ""
    page: str = ""
    is_me: bool = False
    is_other: bool = False
    code: str = ""
    name: str = ""
    email: str = ""
    is_asked: bool = False
    is_back: bool = False
    x: str = ""
    y: str = ""
    at: str = ""
    clicks: dict[str, str] = field(default_factory=dict)  # where the guest clicked on a picture (an image button)
    words: dict[str, str] = field(default_factory=dict)
    content_keys: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, request: HttpRequest) -> "GuestForm":
        """Read what was posted. The address of the page may contain its number, and who an email was for."""
        page = request.GET.get("page", "")[:10]
        if request.method != "POST":
            return cls(offer=request.GET.get("n", "")[:FIELD_LENGTH], page=page)
        form = GuestForm.read(request.POST)
        return form if form.page else replace(form, page=page)

    @classmethod
    def read(cls, posted: QueryDict) -> Self:
        data = PressForm.read(posted)
        act = next((act for act in ACTS if data[act]), "")
        return cls(
            act=act,
            result=data[act] if act else "",
            opened=data["opened"],
            proof=data["p"],
            guest=data["n"],
            offer=data["offer"],
            page=data["to"] or data["page"],
            is_me=data["me"],
            is_other=data["other"],
            code=data["code"],
            name=data["name"],
            email=data["email"],
            is_asked=data["asked"],
            is_back=data["back"],
            x=data["x"],
            y=data["y"],
            at=data["at"],
            clicks={key: str(posted[key]) for key in posted if key.startswith("spot-")},
            words=_by_result(posted, WORDS),
            content_keys=_by_result(posted, SEEN),
        )

    @property
    def verdict(self) -> str:
        return VERDICTS.get(self.act, "")

    @property
    def has_place(self) -> bool:
        """Whether the comment is about a spot or time, which means that it comes from the page for marking one."""
        return bool(self.x or self.y or self.at or self.clicks)

    @property
    def note(self) -> str:
        """What was typed next to the button that was pressed."""
        return self.words.get(self.result, "")

    @property
    def unsent(self) -> list[str]:
        """Everything that the guest typed, shown to them if it can't be recorded. What they wanted to send comes
        first."""
        others = [words for result, words in self.words.items() if result != self.result]
        return [words for words in (self.note, *others) if words.strip()]

    def digest(self) -> str:
        """Return a hash of the page, and of what was sent from it. If the same form is sent again, it's the same."""
        values = [self.opened, self.act, self.result, self.note, self.x, self.y, self.at]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()

    @property
    def carried(self) -> list[tuple[str, str]]:
        """The fields that an intermediate page passes on, except for those it asks for itself."""
        press = [(self.act, self.result)] if self.act else []
        press += [(name, value) for name, value in (("x", self.x), ("y", self.y), ("at", self.at)) if value]
        who = [("opened", self.opened), ("p", self.proof), ("n", self.guest), ("offer", self.offer)]
        who = [(name, value) for name, value in (*who, ("page", self.page)) if value]
        words = [(f"{WORDS}{result}", words) for result, words in self.words.items() if words]
        return [*press, *who, *words, *((f"{SEEN}{result}", content) for result, content in self.content_keys.items())]

    @property
    def carried_beside_comment(self) -> list[tuple[str, str]]:
        """The fields that the page for one comment passes on: everything except the comment's own fields."""
        own = {self.act, f"{WORDS}{self.result}", "x", "y", "at"}
        return [(name, value) for name, value in self.carried if name not in own]

    @property
    def carried_with_name(self) -> list[tuple[str, str]]:
        name_fields = [("name", self.name), ("email", self.email), ("asked", "1")]
        return [*self.carried, *name_fields] if self.is_asked else self.carried


def _by_result(posted: QueryDict, prefix: str) -> dict[str, str]:
    return {key.removeprefix(prefix)[:16]: str(posted[key]) for key in posted if key.startswith(prefix)}
