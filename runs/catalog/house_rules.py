"""An app's house rules: Markdown written by admins and shown above the app's form. HTML and images are always
removed."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

TAGS = {"p", "br", "hr", "strong", "em", "ul", "ol", "li", "a", "code", "pre", "blockquote", "h3"}
SCHEMES = {"http", "https", "mailto"}


@lru_cache(maxsize=256)
def house_rules_html(text: str) -> SafeString:
    """Return the Markdown `text` as HTML; "" if it is blank. All its headings become <h3>, one level below the heading
    that the page shows above them."""
    if not text.strip():
        return SafeString()
    import nh3  # imported only here, because it takes 2 MB with the parser, and few apps have house rules

    html = nh3.clean(
        _markdown().render(text),
        tags=TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        attribute_filter=_outside_only,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer",
    )
    return mark_safe(html.strip())  # noqa: S308 - cleaned


def _outside_only(tag: str, attribute: str, value: str) -> str | None:
    """Drop links without a scheme, because they would lead to the portal's own pages."""
    return value if attribute != "href" or value.partition(":")[0].lower() in SCHEMES else None


def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "breaks": True})
    parser.add_render_rule("image", _words_of_image)
    parser.add_render_rule("heading_open", lambda *_args: "<h3>")
    parser.add_render_rule("heading_close", lambda *_args: "</h3>\n")
    return parser


def _words_of_image(_renderer: Any, tokens: "Sequence[Token]", index: int, *_more: Any) -> str:
    return escape(tokens[index].content)
