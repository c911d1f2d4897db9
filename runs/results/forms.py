"""Forms for results."""

from runs.web.posted import CutField, PostedForm


class UseForm(PostedForm):
    """The app in which to use a result, and the number of the file within that result."""

    app = CutField()
    n = CutField(4)
