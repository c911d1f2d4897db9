"""The log's filters, as sent by the button that downloads the CSV file."""

from runs.web.posted import CutField, PostedForm


class SearchForm(PostedForm):
    """Has the same fields as `search.Search`."""

    who = CutField()
    act = CutField()
    about = CutField()
    since = CutField()
    until = CutField()
