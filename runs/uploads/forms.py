"""What the browser posts when somebody adds a file or link to a field of an app's form."""

from runs.web.posted import CutField, PostedForm
from runs.words.numbers import number_in


class UploadForm(PostedForm):
    """The app, its field, and the link; a file, if there is one, is in `request.FILES`."""

    app = CutField()
    field = CutField()
    link = CutField()


class RoomForm(PostedForm):
    """The size of the file that the page's script wants to send."""

    bytes = CutField(20)

    def clean_bytes(self) -> int:
        return number_in(self.cleaned_data["bytes"], 0, 10**20 - 1, 0)
