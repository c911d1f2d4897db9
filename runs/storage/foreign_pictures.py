"""Copy apps' pictures and sample files, so that browsers never load anything from other sites."""

import logging

from django.conf import settings

from runs.models import StoredFile
from runs.storage import media, store
from runs.storage.fetch import FetchFailed, FetchRefused, fetch
from runs.storage.media import NotMedia
from runs.storage.store import NewFile

logger = logging.getLogger("runs.outputs")

SECONDS = 20.0
LOOK_SECONDS = 15.0  # if inspecting takes longer, the thumbnails are created later
BYTES = 50_000_000


def save_catalog_picture(url: str) -> StoredFile | None:
    """Copy an app's picture or sample file, so that browsers never load it from another site.

    Fetching the file takes at most 20 s, and inspecting it at most 15 s. Returns None if the file can't be used.
    Identical files are saved only once. Raises `FetchFailed` if a retry may work.
    """
    try:
        return _save_catalog_picture(url)
    except FetchFailed as error:
        logger.info("could not copy a catalogue picture: %s", error)
        raise
    except (FetchRefused, NotMedia, OSError) as error:
        logger.info("could not copy a catalogue picture: %s", error)
    except Exception:  # one odd picture mustn't hold up other apps' forms
        logger.exception("catalogue picture: unexpected error")
    return None


def _save_catalog_picture(url: str) -> StoredFile | None:
    trusted = settings.TRUSTED_FILE_ORIGINS
    fetched = fetch(url, max_bytes=BYTES, seconds=SECONDS, trusted=trusted)
    try:
        existing = StoredFile.objects.filter(is_catalog=True, sha256=fetched.sha256).first()
        if existing is not None:
            return existing
        picture = media.inspect(fetched.path, timeout_seconds=LOOK_SECONDS)
        if picture.kind == StoredFile.Kind.OTHER:
            return None
        new_file = NewFile(fetched.path, picture, fetched.sha256, fetched.size_bytes)
        return store.store(new_file, f"sample.{picture.extension}", is_catalog=True)
    finally:
        fetched.path.unlink(missing_ok=True)
