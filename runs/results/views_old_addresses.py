"""Addresses that results had at `/files/<id>/`, which is for bytes alone now."""

from typing import Any

from django.http import HttpRequest
from django.views.generic import RedirectView


class OldAddressView(RedirectView):
    """Redirects for good to the address named `pattern_name`, with the query. It looks nothing up: the new address
    decides who may see what, and answers the same for what does not exist."""

    permanent = True
    query_string = True

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.preserve_request = request.method == "POST"  # 308 instead of 301: the browser posts the same form again
