"""The texts of a file field: whole sentences for each kind, since in many languages more than the noun changes."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from runs.schema_forms.questions import Question


@dataclass(frozen=True)
class FileWords:
    """The texts of one field: its button (first file and later ones), list, sample, drop hint and link box."""

    choose: str
    choose_next: str
    chosen: str
    sample: str
    drop: str
    link: str


def file_words(question: Question) -> FileWords:
    """Return the texts for what `question` accepts: one kind, or files of several kinds."""
    kind = question.accept[0] if len(question.accept) == 1 else ""
    choose_one = {"image": _("Choose a picture"), "video": _("Choose a video"), "audio": _("Choose an audio file")}
    choose_several = {"image": _("Choose pictures"), "video": _("Choose videos"), "audio": _("Choose audio files")}
    chosen = {
        "image": _("%(question)s: chosen pictures"),
        "video": _("%(question)s: chosen videos"),
        "audio": _("%(question)s: chosen audio files"),
    }
    sample = {
        "image": _("Sample picture is used"),
        "video": _("Sample video is used"),
        "audio": _("Sample audio is used"),
    }
    link = {
        "image": _("Web address of a picture for %(question)s"),
        "video": _("Web address of a video for %(question)s"),
        "audio": _("Web address of an audio file for %(question)s"),
    }
    is_multiple, named = question.is_multiple, {"question": question.label}
    return FileWords(
        choose=choose_several.get(kind, _("Choose files")) if is_multiple else choose_one.get(kind, _("Choose a file")),
        choose_next=_("Add more") if is_multiple else _("Replace"),
        chosen=chosen.get(kind, _("%(question)s: chosen files")) % named,
        sample=sample.get(kind, _("Sample file is used")),
        drop=_("or drop them here") if is_multiple else _("or drop it here"),
        link=link.get(kind, _("Web address of a file for %(question)s")) % named,
    )


def add_words(accept: tuple[str, ...]) -> str:
    """Return what to do when a field for `accept` has no file or the wrong kind."""
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
