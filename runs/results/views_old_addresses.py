"""Old addresses of results under `/files/<id>/`, which is now only for the files themselves."""

from typing import Any

from django.http import HttpRequest
from django.views.generic import RedirectView


class OldAddressView(RedirectView):
    """Redirect permanently to the address named `pattern_name`, with the query.

    It looks nothing up: the new address checks who may see the result, and whether it exists.
    """

    permanent = True
    query_string = True

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.preserve_request = request.method == "POST"  # 308 instead of 301: the browser posts the same form again
