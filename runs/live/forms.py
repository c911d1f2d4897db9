"""Forms posted by the buttons on a run's page."""

from runs.web.posted import CutField, PostedForm


class RetryForm(PostedForm):
    """Retries the failed results. A token starts only one run, however often it is sent."""

    token = CutField()
