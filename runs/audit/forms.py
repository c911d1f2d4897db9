"""The filters of the log, as the button for its CSV file sends them."""

from runs.web.posted import CutField, PostedForm


class SearchForm(PostedForm):
    """The fields of `search.Search`."""

    who = CutField()
    act = CutField()
    about = CutField()
    since = CutField()
    until = CutField()
