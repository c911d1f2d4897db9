"""Copies of apps' pictures and sample media: browsers never load foreign addresses."""

from django.utils import timezone

from runs.models import App
from runs.services import outputs
from runs.services.catalog import bounds
from runs.services.filling.samples import sample_urls


def fetch_pictures(app: App) -> None:
    """Copy the thumbnail and the samples; noted first, so that a dead host only costs time once in six hours."""
    fetch_thumbnail(app)
    fetch_samples(app)


def fetch_thumbnail(app: App) -> None:
    App.objects.filter(pk=app.pk).update(pictures_tried_at=timezone.now())
    if app.thumbnail_url and app.thumbnail_id is None:
        App.objects.filter(pk=app.pk).update(thumbnail=outputs.save_catalog_picture(app.thumbnail_url))


def fetch_samples(app: App) -> None:
    """Copy the media that the author's form uses as defaults."""
    known = App.objects.values_list("samples", flat=True).get(pk=app.pk)
    samples: dict[str, str] = {}
    for url in sample_urls(app.schema.parameters if app.schema else [])[: bounds.SAMPLES]:
        if known.get(url):
            samples[url] = known[url]
        elif (stored := outputs.save_catalog_picture(url)) is not None:
            samples[url] = stored.public_id
    if samples != known:
        App.objects.filter(pk=app.pk).update(samples=samples)
