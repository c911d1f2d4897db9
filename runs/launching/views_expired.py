"""App forms posted after the session expired: their files are saved until the member signs in again."""

from datetime import timedelta

from django.http import HttpRequest, QueryDict

from runs.engine import create_run
from runs.launching import form_files
from runs.launching.posted_form import ControlsForm
from runs.models import AppSchema, Member

KEPT_FOR = timedelta(days=1)  # files are saved only if the form was opened less than this long ago


def keep_expired(request: HttpRequest) -> list[tuple[str, str]]:
    """Save the posted form's files as uploads; return (form field, upload id) pairs.

    The form's signed token says whose files they are. Only that member can use the uploads.
    """
    controls = ControlsForm.read(request.POST)
    owner = create_run.read_form_token(controls["token"], KEPT_FOR) or 0
    member = Member.objects.filter(pk=owner, is_active=True).first()
    schema = AppSchema.objects.filter(version=controls["schema"]).first()
    if member is None or schema is None:
        return []
    fields = QueryDict(mutable=True)
    form_files.take_all(member, schema.questions, fields, request.FILES)
    return [(name, str(value)) for name, values in fields.lists() for value in values]
