"""The data posted with a file or link for a field in an app's form."""

from runs.web.posted import CutField, PostedForm


class UploadForm(PostedForm):
    """The app, its field, and the link; a file comes in `request.FILES`."""

    app = CutField()
    field = CutField()
    link = CutField()
