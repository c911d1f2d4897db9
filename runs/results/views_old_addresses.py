"""The addresses results once had at `/files/<id>/`, which is only for bytes now."""

from typing import Any

from django.http import HttpRequest
from django.views.generic import RedirectView


class OldAddressView(RedirectView):
    """Redirects permanently to the address named `pattern_name`, with the query. It looks nothing up: the new address
    decides who may see what, and answers the same for what doesn't exist."""

    permanent = True
    query_string = True

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.preserve_request = request.method == "POST"  # 308 instead of 301: the browser posts the same form again
