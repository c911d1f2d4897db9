"""What is posted about a result."""

from runs.web.posted import CutField, PostedForm


class UseForm(PostedForm):
    """The app that shall take a result, and which of its files is meant."""

    app = CutField()
    n = CutField(4)
