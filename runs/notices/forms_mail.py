"""Forms of the buttons about mails."""

from runs.web.posted import CutField, PostedForm, SwitchField


class WishForm(PostedForm):
    """Whether someone wants a mail when a run is ready."""

    wanted = SwitchField()


class BackForm(PostedForm):
    """The page that a button was on."""

    back = CutField()
