"""The authors' sample media: what a `url` parameter falls back on when nothing is given."""

from runs.schema_forms.questions import questions_of
from runs.schema_forms.types import Parameters


def sample_urls(parameters: Parameters) -> list[str]:
    """Addresses of the sample media in PARAMETERS."""
    return [url for question in questions_of(parameters) if question.kind == "url" for url in question.samples]
