"""Parameter lists that nobody would write: any script, any shape, duplicates, huge values, odd types."""

from typing import Any

from hypothesis import strategies as st

ODD_WORDS = [
    "",
    " ",
    "Standard ",
    "Model  Ethnicity",
    "a\r\nb",
    "a\rb",
    "\n\nfirst lines",
    "</textarea><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}{% debug %}",
    "&amp;lt;&#13;&#x0;",
    "p0",
    "p0_kept",
    "outputs",
    "csrfmiddlewaretoken",
    "16:9",
    "שם מימין לשמאל",
    "\u202eevil\u2066",
    "👩🏽‍🎨 🏳️‍🌈",
    "e\u0301\u0301\u0301",
    "\ufeff\u200b",
    "\ufffe\U0010ffff",
    "x" * 5_000,
]
words = st.one_of(
    st.sampled_from([*ODD_WORDS, "lone \ud83d surrogate", "nul \x00"]),
    st.text(st.characters(exclude_characters="\x00"), max_size=30),
)
typed = st.one_of(  # what a person can type into a text area; no browser sends surrogates or NUL
    st.sampled_from(ODD_WORDS), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), words)
shapes = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=5
)
handles = st.one_of(words, words, words, shapes)  # mostly text, but sometimes anything


def _with_doubles(labels: list[Any]) -> list[Any]:
    return labels + labels[:2]


option_lists = st.one_of(
    st.lists(words, min_size=1, max_size=8),
    st.lists(words, min_size=1, max_size=4).map(_with_doubles),
    st.integers(21, 70).map(lambda count: [f"Choice {n} " for n in range(count)]),
    st.lists(shapes, max_size=3),
    shapes,
)


@st.composite
def parameters(draw: st.DrawFn) -> dict[str, Any]:
    """Draw one parameter; its default is often one of its own options."""
    kind = draw(st.sampled_from(["text", "options", "options", "url", "hologram", "", None, 7]))
    made: dict[str, Any] = {"name": draw(handles), "type": kind, "required": draw(st.booleans())}
    if draw(st.booleans()):
        made |= {"id": draw(handles), "key": draw(handles)}
    if kind == "options":
        made["options"] = draw(option_lists)
    if kind == "url":
        made |= {"accept": draw(st.one_of(st.lists(words, max_size=2), st.just(["image"]), shapes))}
        made |= {"multiple": draw(st.one_of(st.booleans(), shapes))}
    if draw(st.booleans()):
        listed = made.get("options")
        own = st.sampled_from(listed) if isinstance(listed, list) and listed else shapes
        made["default"] = draw(st.one_of(shapes, own, st.just(["https://x.test/a.png"])))
    if draw(st.booleans()):
        made["description"] = draw(shapes)
    return made


parameter_lists = st.lists(parameters(), max_size=7)
output_lists = st.lists(
    st.fixed_dictionaries(
        {}, optional={"index": st.one_of(st.integers(-1, 4), scalars), "label": handles, "type": handles}
    ),
    max_size=5,
)
