"""Stores static files compressed, under names that contain a hash, which modules also use to import each other."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class PortalStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # whitenoise has no types
    """The portal's static files, as `collectstatic` stores them for whitenoise."""

    support_js_module_import_aggregation = True
