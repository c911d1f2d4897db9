"""Forms for the buttons on the run page."""

from runs.web.posted import CutField, PostedForm


class RetryForm(PostedForm):
    """The form that retries failed results. Each token starts only one run, even if it is posted several times."""

    token = CutField()
