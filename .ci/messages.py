"""Collect the portal's texts for translation (`make messages`); `--check` only reports whether this is necessary.

This needs the gettext tools (Debian: `apt-get install gettext`). The portal itself doesn't need them, because compiled
catalogues are committed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parents[1]
CATALOGUES = ROOT / "runs/locale"
LANGUAGES = ["de"]
IGNORED = ["tests/*", "docs/*", "data/*", "node_modules/*", "runs/sandbox/*", "runs/migrations/*"]
TOOLS = ("xgettext", "msgmerge", "msgfmt")
VARYING = ("POT-Creation-Date", "X-Generator")  # header lines that change on every run


def gather(folder: Path, *, is_check: bool = False) -> None:
    """Collect texts from the sources into the catalogues in `folder`, keeping existing translations."""
    command = [sys.executable, "manage.py", "makemessages", "--no-obsolete", "--add-location=file", "--verbosity=0"]
    ignored = [*IGNORED, "runs/locale"] if is_check else IGNORED
    subprocess.run(
        [*command, *(f"--locale={code}" for code in LANGUAGES), *(f"--ignore={pattern}" for pattern in ignored)],
        cwd=ROOT,
        env=os.environ
        | {"PORTAL_TESTING": "1", "MESSAGES_DIR": str(folder)}
        | {"DJANGO_SETTINGS_MODULE": "messages_settings", "PYTHONPATH": str(ROOT / ".ci")},
        check=True,
    )
    for path in folder.rglob("*.po"):
        kept = [line for line in path.read_text().splitlines() if not line.startswith(tuple(f'"{v}' for v in VARYING))]
        path.write_text("\n".join(kept).rstrip() + "\n")


def compile_all(folder: Path) -> None:
    """Compile every catalogue in `folder`; mismatched placeholders are an error."""
    for path in folder.rglob("*.po"):
        command = ["msgfmt", "--check", "--output-file", str(path.with_suffix(".mo")), str(path)]
        subprocess.run(command, check=True)


def stale() -> list[str]:
    """Return a line for each catalogue that doesn't match the sources."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "locale"
        shutil.copytree(CATALOGUES, fresh)
        gather(fresh, is_check=True)
        return [
            f"{path.relative_to(fresh)} differs from the sources: run `make messages`, and translate what is new."
            for path in sorted(fresh.rglob("*.po"))
            if texts_of(path) != texts_of(CATALOGUES / path.relative_to(fresh))
        ]


def untranslated() -> list[str]:
    """Return a line for each text that isn't translated yet."""
    return [
        f"{path.relative_to(ROOT)}:{entry.linenum}: not translated: {entry.msgid}"
        for path in sorted(CATALOGUES.rglob("*.po"))
        for entry in polib.pofile(str(path))
        if not entry.translated() and not entry.obsolete
    ]


def texts_of(path: Path) -> list[str]:
    """Return the lines of a catalogue without its comments, since texts may move between files."""
    return [line for line in path.read_text().splitlines() if not line.startswith("#")]


def main() -> int:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        print(f"Texts were NOT checked for translation: {', '.join(missing)} not found (Debian: gettext).")
        return 0 if "--check" in sys.argv else 1
    if "--check" in sys.argv:
        problems = stale() + untranslated()
        print("\n".join(problems) or "Texts and their translations are up to date.")
        return bool(problems)
    for code in LANGUAGES:
        (CATALOGUES / code / "LC_MESSAGES").mkdir(parents=True, exist_ok=True)
    gather(CATALOGUES)
    compile_all(CATALOGUES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
