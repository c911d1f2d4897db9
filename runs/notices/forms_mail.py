"""Forms for buttons about emails."""

from runs.web.posted import PostedForm, SwitchField


class WishForm(PostedForm):
    """Whether someone wants an email when a run is ready."""

    wanted = SwitchField()
