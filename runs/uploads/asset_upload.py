"""Send a member's file to Lamina only once: the first time a run needs it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from runs.lamina.client import LaminaClient
from runs.models import StoredFile, Upload
from runs.models.messages import Message
from runs.storage import store
from runs.storage.disk import disk_message
from runs.storage.fetch import FetchFailed, FetchRefused, put_file

SEND_SECONDS = 600.0

NOT_READY = Message("file_not_ready")
LOST = Message("file_lost")
NO_ADDRESS = Message("no_upload_address")


def ensure_asset(upload: Upload, client: LaminaClient, on_chunk: Callable[[int], None] | None = None) -> str:
    """Return Lamina's URL for an uploaded file. The file is sent only the first time.

    Takes at most 600 s. `on_chunk` is called with the number of bytes sent so far, so that the caller can renew its
    claim. Raises `FetchFailed` if trying again may help (the file isn't ready, or Lamina's storage didn't accept it)
    and `FetchRefused` if not (the guard refuses the URL that Lamina gave, or the file is lost). Also raises whatever
    the client raises.
    """
    upload.refresh_from_db()
    if upload.asset_url:
        return upload.asset_url
    file = upload.file
    if file is None:
        raise FetchFailed(NOT_READY)
    target = client.upload_urls([(file.name, file.kind)])[0]
    if not target.asset_url.startswith(("https://", "http://")):
        raise FetchFailed(NO_ADDRESS)
    with _local_copy(file) as path:
        media_type = target.content_type_hint or file.media_type
        put_file(target.upload_url, path, media_type, SEND_SECONDS, on_chunk, _lamina_origin())
    # Two runs may send the same upload at the same time. We only save the URL from the first one, but both URLs work.
    Upload.objects.filter(pk=upload.pk, asset_url="").update(asset_url=target.asset_url)
    upload.refresh_from_db()
    return upload.asset_url


def _lamina_origin() -> list[str]:
    """Return Lamina's own origin, which may receive files even if it isn't public, as in the sandbox. The portal only
    reads files from other trusted origins; it never sends any to them, whatever Lamina's responses say."""
    lamina = f"{settings.LAMINA_BASE_URL}/".lower()  # trusted origins are in lower case
    return [origin for origin in settings.TRUSTED_FILE_ORIGINS if lamina.startswith(f"{origin}/")]


@contextmanager
def _local_copy(file: StoredFile) -> Iterator[Path]:
    """Yield a local path to the file. Raises `FetchRefused` or `FetchFailed`, with the reason, if the file can't be
    read."""
    try:
        with store.local_copy(file) as path:
            path.stat()
            yield path
    except FileNotFoundError:
        raise FetchRefused(LOST) from None
    except OSError as error:
        raise FetchFailed(disk_message(error)) from None
