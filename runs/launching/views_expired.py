"""An app's form that was posted after the sign-in had expired: its files are kept until the member signs in again."""

from datetime import timedelta

from django.http import HttpRequest, QueryDict

from runs.engine import create_run
from runs.launching import form_files
from runs.launching.forms import ControlsForm
from runs.models import AppSchema, Member

KEPT_FOR = timedelta(days=1)  # how old a form may be for its files to be kept


def keep_expired(request: HttpRequest) -> list[tuple[str, str]]:
    """Save the files of the posted form as uploads; returns the fields that stand for them, as pairs.

    The form's own token says whose they are: it is signed, and only that member can use them.
    """
    controls = ControlsForm.read(request.POST)
    owner = create_run.read_form_token(controls["token"], KEPT_FOR) or 0
    member = Member.objects.filter(pk=owner, is_active=True).first()
    schema = AppSchema.objects.filter(version=controls["schema"]).first()
    if member is None or schema is None:
        return []
    fields = QueryDict(mutable=True)
    form_files.take_all(member, schema.parameters, fields, request.FILES)
    return [(name, str(value)) for name, values in fields.lists() for value in values]
