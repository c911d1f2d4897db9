"""`{% support_about_file upload shown app.name as words %}`: a sentence about a refused file, for people to copy
(`words/support.py`)."""

from django import template
from django.utils import timezone

from runs.schema_forms.types import UploadInfo
from runs.words.support import about_file

register = template.Library()


@register.simple_tag
def support_about_file(upload: UploadInfo, message: str, app_name: str) -> str:
    return about_file(app_name, upload.name, upload.id, upload.failed_at or timezone.now(), message)
