"""What is posted about a result."""

from runs.web.posted import CutField, PostedForm


class UseForm(PostedForm):
    """The app that takes the result, and the number of the result's file."""

    app = CutField()
    n = CutField(4)
