"""What the buttons of a run's page post."""

from runs.web.posted import CutField, PostedForm


class RetryForm(PostedForm):
    """The press that tries again what failed: a token that starts one run, however often it is sent."""

    token = CutField()
