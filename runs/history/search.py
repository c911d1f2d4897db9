"""The former place of `Filter`, for modules that still import it from here."""

from runs.history.filters import Filter

__all__ = ["Filter"]
