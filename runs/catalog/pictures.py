"""Copies of app thumbnails and sample media, so that browsers never load anything from other sites."""

from contextlib import suppress
from datetime import timedelta

from django.utils import timezone

from runs.catalog import bounds, in_use
from runs.models import App
from runs.models.ages import is_younger
from runs.schema_forms.questions import sample_urls
from runs.storage import foreign_pictures
from runs.storage.fetch import FetchFailed

SECOND_TRY = timedelta(minutes=1)  # in case the host was just busy for a moment; after that, wait the usual time


def fetch_pictures_if_due(app: App) -> None:
    """Copy the thumbnail and the samples, unless we already tried in the last six hours."""
    if not is_younger(app.pictures_tried_at, timezone.now(), in_use.PICTURES_EVERY):
        fetch_thumbnail(app)
        fetch_samples(app)


def fetch_thumbnail(app: App) -> None:
    """Copy the thumbnail. Record the attempt first, so that a dead host costs us time only once every six hours."""
    now, row = timezone.now(), App.objects.filter(pk=app.pk)
    row.update(pictures_tried_at=now)
    if not app.thumbnail_url or app.thumbnail_id is not None:
        return
    try:
        row.update(thumbnail=foreign_pictures.save_catalog_picture(app.thumbnail_url))
    except FetchFailed:
        if app.pictures_tried_at is None:
            row.update(pictures_tried_at=now - in_use.PICTURES_EVERY + SECOND_TRY)


def fetch_samples(app: App) -> None:
    """Copy the sample media that the author's form uses as defaults."""
    row = App.objects.filter(pk=app.pk)
    existing = row.values_list("samples", flat=True).get()
    urls = sample_urls(app.questions)[: bounds.SAMPLES]
    samples = {url: existing[url] for url in urls if existing.get(url)}
    if samples != existing:
        row.update(samples=samples)
    for url in urls:
        if url in samples:
            continue
        with suppress(FetchFailed):
            if (stored := foreign_pictures.save_catalog_picture(url)) is not None:
                samples[url] = stored.public_id
                row.update(samples=samples)  # save after each one, because this task may run out of time
