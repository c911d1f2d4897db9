"""Each page has a single name, used for both its URL and its view."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver


def patterns_of(resolver: URLResolver) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns_of(pattern)
        else:
            yield pattern


def test_a_view_has_the_name_of_its_url() -> None:
    runs = next(one for one in get_resolver().url_patterns if isinstance(one, URLResolver))
    found = {str(one.name): one.callback.__name__ for one in patterns_of(runs)}
    assert len(found) > 100
    assert {name: view for name, view in found.items() if name.replace("-", "_") != view} == {}
