"""What the browser posts when somebody adds a file or link to a field of an app's form."""

from runs.web.posted import CutField, PostedForm


class UploadForm(PostedForm):
    """The app, its field, and the link; a file, if there is one, is in `request.FILES`."""

    app = CutField()
    field = CutField()
    link = CutField()


class RoomForm(PostedForm):
    """The size of the file that the page's script wants to send."""

    bytes = CutField(20)

    def clean_bytes(self) -> int:
        given = self.cleaned_data["bytes"]
        return int(given) if given.isascii() and given.isdigit() else 0
