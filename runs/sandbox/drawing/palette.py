"""Palettes in the style of two- and three-colour prints, and some colour arithmetic."""

import random
from dataclasses import dataclass

Colour = tuple[int, int, int]
WHITE: Colour = (253, 251, 246)


@dataclass(frozen=True)
class Palette:
    """`tones` go from the darkest to the lightest; `accent` and `second` stand out against all of them."""

    name: str
    paper: Colour
    ink: Colour
    tones: tuple[Colour, ...]
    accent: Colour
    second: Colour

    def tone(self, share: float) -> Colour:
        """Return the colour at `share` on a scale from the darkest tone (0) to the lightest (1)."""
        place = max(0.0, min(1.0, share)) * (len(self.tones) - 1)
        first = min(int(place), len(self.tones) - 2)
        return mix(self.tones[first], self.tones[first + 1], place - first)


def hex_colour(text: str) -> Colour:
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Blend two colours: `share=0` gives `first`, and `share=1` gives `second`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _palette(name: str, paper: str, ink: str, tones: str, accent: str, second: str) -> Palette:
    return Palette(
        name, hex_colour(paper), hex_colour(ink),
        tuple(hex_colour(tone) for tone in tones.split()), hex_colour(accent), hex_colour(second),
    )  # fmt: skip


PALETTES = {
    palette.name: palette
    for palette in (
        _palette("dune", "f7efe2", "2b2738", "22324f 3f5f83 8da9bd efc9a0 f8e3c6", "e4572e", "f2a65a"),
        _palette("lagoon", "f1f4ec", "14303a", "0d3f4f 22717e 6fb0b4 bfdcd2 e9f0de", "f2695c", "f6b15f"),
        _palette("orchard", "f8f1e1", "2a2d22", "2c4f37 5b8a4a 9dbd63 d8dc9c f3edc8", "c1483f", "eeb44f"),
        _palette("dusk", "f7ebe6", "2a1e3f", "2f2355 64428a b0639a ea9d96 fbd9b5", "f06a5d", "ffc46b"),
        _palette("nordic", "eff2f4", "1d2937", "1f3449 456782 8eadc2 c7d7de edf0ec", "d64f5c", "e9bb6c"),
        _palette("terracotta", "f6ebde", "38211a", "5f2620 a8452f dd8350 eebd93 f8e4cf", "3f7f80", "f2b441"),
        _palette("mint", "f2f6ee", "14312b", "174840 36836f 86c5a8 c5e3cd f0f4dc", "f0706f", "fac858"),
        _palette("berry", "f9eff0", "2e1627", "4d0f39 8b2657 d05f83 f0a8a4 f9dcd0", "e7a93c", "3f6c8f"),
        _palette("ink", "f4f1e8", "1b1e2b", "1f2747 3c4d8a 8499cf c3cde6 eeeee6", "e2614a", "f2b75c"),
        _palette("meadow", "f6f4e5", "212f24", "264a30 5f8f52 a9c476 dbe0a6 f5f1d3", "dd5f3a", "4f87a6"),
    )
}

STYLES = {
    "ghibli": "meadow", "simpsons": "dune", "disney": "dusk", "cyberpunk": "berry", "cinematic": "dusk",
    "minimalist": "nordic", "vibrant": "terracotta", "vintage": "orchard", "nature": "meadow", "studio": "ink",
    "lifestyle": "mint", "urban": "ink", "park": "meadow",
}  # fmt: skip


def choose(chance: random.Random, style: str = "") -> Palette:
    """Return the style's palette if the style is known; otherwise, a random palette."""
    for word, name in STYLES.items():
        if word in style.casefold():
            return PALETTES[name]
    return chance.choice(list(PALETTES.values()))
