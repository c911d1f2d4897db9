"""Writes the text results of all apps."""

from runs.sandbox.job import Job
from runs.sandbox.prose import WRITERS

HOSTILE = """<script>alert("from a text result")</script>
# Not a heading

**Not bold**, [not a link](javascript:alert(1)), <img src=x onerror=alert(2)>
{{ 7*7 }} {% debug %} {"looks": "like data"}

    four spaces and a tab:\tkept

A line that ends with two spaces{spaces}
and the last line, whole. Café, 日本語, שלום, 🎈
"""
LONG = (
    "The lamp was lit before the boats came in, as it had been every evening since anybody could remember, and the "
    "keeper wrote one line about the weather, one about the sea, and one about what he had hoped to see instead. "
    "Nobody ever read the book, which suited him; a page that is not read cannot be wrong about the wind."
)


def write(job: Job) -> str:
    """Return the text that the app writes or, if it isn't a writing app, a caption that quotes the prompt."""
    if writer := WRITERS.get(job.app_id):
        return writer(job, job.random())
    if job.app_id == "card-hostile-text":
        return HOSTILE.replace("{spaces}", "  ")
    if job.app_id == "card-long-text":
        return "\n\n".join(f"{n}. {LONG}" for n in range(1, 61))
    subject = " ".join(job.prompt.split()) or "a quiet morning"
    openings = [
        "Some days ask for very little.",
        "It starts small, the way good things do.",
        "Take a breath, then look again.",
        "Here is to the unhurried ones.",
    ]
    closings = [
        "Save it for a slow afternoon.",
        "Tell us what you see first.",
        "More of this, please.",
        "Made with care, shared with a smile.",
    ]
    chance = job.random()
    return (
        f"{chance.choice(openings)}\n\n“{subject}”: that is the whole idea, and it is enough. "
        f"We kept the light soft, the colours honest and the words few.\n\n{chance.choice(closings)}\n\n"
        "#sandbox #nothinghereisreal"
    )
