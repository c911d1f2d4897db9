"""Redirects from the old URLs of results under `/files/<id>/`, where only the files themselves are served now."""

from typing import Any

from django.http import HttpRequest
from django.views.generic import RedirectView


class OldAddressView(RedirectView):
    """Redirect permanently to the URL named `pattern_name`, keeping the query string.

    Nothing is looked up here: the view for the new URL checks whether the result exists and who may see it.
    """

    permanent = True
    query_string = True

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        # After a 308, unlike a 301, the browser posts the form to the new URL
        self.preserve_request = request.method == "POST"
