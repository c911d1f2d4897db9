"""What the buttons of a run's page post."""

from runs.web.posted import CutField, PostedForm


class RetryForm(PostedForm):
    """Retry of the failed results: the token starts one run, however often it is sent."""

    token = CutField()
