"""Forms for results."""

from runs.web.posted import CutField, PostedForm


class UseForm(PostedForm):
    """The app in which to use a result, and the number of the file in the result."""

    app = CutField()
    n = CutField(4)
