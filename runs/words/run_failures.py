"""Why a run failed: what happened, what is safe and what to do, a sentence per cause."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """What happened, what is safe, what to do."""

    sentence: str
    quote: str = ""  # Lamina's own words
    action_label: str = ""
    action_url: str = ""
    reference: str = ""


# cause: (sentence, label of the button, where it leads)
FAILURES: dict[str, tuple[str, str, str]] = {
    "inputs": ("Lamina did not accept what was filled in. Nothing was started.", "Back to the form", "form"),
    "files": ("One of the files could not be handed over. Nothing was started.", "Back to the form", "form"),
    "credits": ("There are not enough credits left for this run.", "Ask an admin", "admin"),
    "key": (
        "The connection needs an admin: Lamina refuses the workspace key. Nothing was started.",
        "Tell an admin",
        "admin",
    ),
    "gone": ("Lamina no longer offers this app. Nothing was started.", "Find another app", "apps"),
    "forbidden": ("This workspace may not use this app. Nothing was started.", "Find another app", "apps"),
    "refused": ("Lamina refused this run. Nothing was started.", "Change and run again", "form"),
    "remote": ("Lamina could not make this.", "Change and run again", "form"),
    "nothing": ("Lamina finished, but nothing usable came out.", "Change and run again", "form"),
    "lost": ("Lamina no longer knows this run.", "Change and run again", "form"),
    "silent": (
        "There was no end for a day, and it was given up. It may have cost credits.",
        "Change and run again",
        "form",
    ),
    "left": (
        "It was never clear whether this run started, and it was left at that. It may have cost credits.",
        "Change and run again",
        "form",
    ),
}
