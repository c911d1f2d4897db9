"""The page where guests comment on a spot in a picture, or on a time in video or audio.

The picture is an image button. Each click submits the form and shows the page again with the spot marked, until the
guest sends the comment. Guests who use a keyboard type two numbers instead of clicking.
"""

from dataclasses import dataclass

from runs.models import GuestLink, Output
from runs.models.comments import COMMENT_LENGTH
from runs.review import spots
from runs.review.spots import SpotButton
from runs.sharing import guests
from runs.sharing.forms_guest import GuestForm
from runs.sharing.guest_addresses import Addresses
from runs.sharing.pages_guest import GuestFile, files_of
from runs.sharing.pages_guest_answers import placed_file


@dataclass(frozen=True)
class CommentPage:
    """What this page shows. `x` and `y` are percentages, as typed or clicked."""

    label: str
    result: str
    file: GuestFile | None
    buttons: list[SpotButton]
    text: str
    length: int
    x: str
    y: str
    at: str

    @property
    def has_spot(self) -> bool:
        return bool(self.x and self.y)


def comment_page(link: GuestLink, output: Output, form: GuestForm, addresses: Addresses) -> CommentPage:
    output_file = placed_file(output)
    label = guests.named_outputs(link)[output]
    files = files_of(output, label, guests.stems_by_result(link)[output.pk], addresses)
    clicked = spots.clicked(output_file.file if output_file else None, form.clicks)
    x, y = (spots.percent(part) for part in clicked) if clicked else (form.x, form.y)
    return CommentPage(
        label=label,
        result=output.public_id,
        file=next((file for file in files if output_file is not None and file.position == output_file.position), None),
        buttons=spots.buttons_of(output_file.file if output_file else None),
        text=form.note,
        length=COMMENT_LENGTH,
        x=x,
        y=y,
        at=form.at,
    )
