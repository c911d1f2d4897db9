"""Forms for results."""

from runs.web.posted import CutField, PostedForm


class UseForm(PostedForm):
    """The app to use a result in, and the number of the result's file."""

    app = CutField()
    n = CutField(4)
