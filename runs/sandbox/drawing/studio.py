"""Finished pieces for the sandbox apps: shop pictures, rooms, logos, posters, patterns, banners.

Each piece fills the whole picture and depends on the inputs: it uses their words, the chosen options, and a palette
that all results of a run share.
"""

import random
from collections.abc import Callable

from PIL import Image

from runs.sandbox.drawing import adverts, brand, products, rooms
from runs.sandbox.drawing.job import Job
from runs.sandbox.drawing.palette import PALETTES, STYLES, Palette
from runs.sandbox.drawing.paper import Size

Piece = Callable[[Job, Size, Palette, random.Random], Image.Image]


def palette_of(job: Job) -> Palette:
    """Return the palette that a chosen option names; if none does, one that depends on all inputs."""
    for _, label in job.chips:
        for word, name in {**{name: name for name in PALETTES}, **STYLES}.items():
            if word in label.casefold():
                return PALETTES[name]
    chance = random.Random(repr((job.app_id, job.shown, job.variant)))  # noqa: S311 - art, not secrets
    return chance.choice(list(PALETTES.values()))


PIECES: dict[str, Piece] = {
    "sandbox-packshot": products.packshot,
    "sandbox-hintergrund": products.surface,
    "sandbox-product-reel": products.shoe,
    "sandbox-receta": products.dish,
    "sandbox-room": rooms.room,
    "sandbox-logo": brand.logo,
    "sandbox-affiche": adverts.affiche,
    "sandbox-social-kit": adverts.kit,
    "sandbox-banner-ja": adverts.seaside,
    "sandbox-vetrina": brand.window,
    "sandbox-pattern": brand.pattern,
    "sandbox-titles": adverts.titles,
    "sandbox-campaign": adverts.campaign,
    "sandbox-newsletter": adverts.letter_head,
}
