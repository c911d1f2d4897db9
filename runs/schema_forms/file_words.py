"""The wording for file fields. Each kind of file gets its own complete sentences, because in many languages more than
the noun changes."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from runs.schema_forms.questions import Question


@dataclass(frozen=True)
class FileWords:
    """The wording for one field: its button (before and after a file is chosen), list, sample, drop hint and link box,
    and the messages about files it doesn't accept. JavaScript fills in {name}, {taken} and {left} in these messages."""

    choose: str
    choose_next: str
    chosen: str
    sample: str
    drop: str
    link: str
    unfit: str
    one_file: str


def file_words(question: Question) -> FileWords:
    """Return the wording for a file field, to match the kind of file it accepts (or files in general if it accepts
    several kinds)."""
    kind = question.accept[0] if len(question.accept) == 1 else ""
    choose_one = {"image": _("Choose a picture"), "video": _("Choose a video"), "audio": _("Choose an audio file")}
    choose_several = {"image": _("Choose pictures"), "video": _("Choose videos"), "audio": _("Choose audio files")}
    list_labels = {
        "image": _("%(question)s: chosen pictures"),
        "video": _("%(question)s: chosen videos"),
        "audio": _("%(question)s: chosen audio files"),
    }
    sample = {
        "image": _("Using the sample picture"),
        "video": _("Using the sample video"),
        "audio": _("Using the sample audio"),
    }
    link = {
        "image": _("Web address of a picture for %(question)s"),
        "video": _("Web address of a video for %(question)s"),
        "audio": _("Web address of an audio file for %(question)s"),
    }
    is_multiple, values = question.is_multiple, {"question": question.label}
    return FileWords(
        choose=choose_several.get(kind, _("Choose files")) if is_multiple else choose_one.get(kind, _("Choose a file")),
        choose_next=_("Add more") if is_multiple else _("Replace"),
        chosen=list_labels.get(kind, _("%(question)s: chosen files")) % values,
        sample=sample.get(kind, _("Using the sample file")),
        drop=_("or drop them here") if is_multiple else _("or drop it here"),
        link=link.get(kind, _("Web address of a file for %(question)s")) % values,
        unfit=unfit_words("{name}", question.accept),
        one_file=one_file_words("{taken}", ["{left}"]),
    )


def unfit_words(name: str, accept: tuple[str, ...]) -> str:
    """Return the message saying that the file `name` is the wrong kind for a field that accepts `accept`."""
    words = _("“%(name)s” can't be used here.") % {"name": name}
    return f"{words} {add_words(accept)}"


def one_file_words(name: str, left: Sequence[str]) -> str:
    """Return the message saying that a single-file field used `name` and left out the other files (`left`)."""
    words = _("This field takes one file. We added “%(taken)s” and left out %(left)s.")
    return words % {"taken": name, "left": ", ".join(left)}


def add_words(accept: tuple[str, ...]) -> str:
    """Return the message that says what to do when a field that accepts `accept` has no file or the wrong kind of
    file."""
    sentences = {
        ("image",): _("Add a picture."),
        ("video",): _("Add a video."),
        ("audio",): _("Add an audio file."),
        ("image", "video"): _("Add a picture or a video."),
        ("image", "audio"): _("Add a picture or an audio file."),
        ("video", "audio"): _("Add a video or an audio file."),
        ("image", "video", "audio"): _("Add a picture, a video or an audio file."),
    }
    return sentences.get(accept) or _("Add a file.")
