"""Earlier files used in a new form are adopted, never copied."""

import pytest
from pytest_django import DjangoAssertNumQueries

from runs.models import Member, RunInput, StoredFile, Upload
from runs.models.run import RunInputUpload
from runs.schema_forms.answers import Files
from runs.uploads.ownership import adopt, own_files
from tests.support.factories import PICTURE, make_app, make_run, make_stored

pytestmark = pytest.mark.django_db


def test_adopting_makes_an_upload_of_the_same_file(alice: Member, bob: Member) -> None:
    stored = make_stored()
    Upload.objects.create(member=bob, file=stored, status="ready", name="b.png", asset_url="https://lamina.test/b")

    upload = adopt(alice, stored)

    assert (upload.member, upload.file, upload.status, upload.name) == (alice, stored, "ready", stored.name)
    assert upload.asset_url == "https://lamina.test/b"  # the file needn't be sent to Lamina again
    assert StoredFile.objects.count() == 1


def test_adopting_twice_is_adopting_once(alice: Member) -> None:
    stored = make_stored()

    assert adopt(alice, stored) == adopt(alice, stored)
    assert Upload.objects.count() == 1


def test_answers_of_a_teammates_run_carry_own_uploads(alice: Member, bob: Member) -> None:
    run = make_run(bob, make_app(parameters=[PICTURE]), status="completed")
    given = RunInput.objects.create(run=run, position=1, name="Photo", parameter_id="u-1", type="url", value=[])
    ready = Upload.objects.create(member=bob, file=make_stored(), status="ready", name="b.png")
    lost = Upload.objects.create(member=bob, status="failed", source_url="https://x.test/", name="x")
    for position, upload in enumerate([ready, lost]):
        RunInputUpload.objects.create(input=given, upload=upload, position=position)

    answers = own_files(alice, run.answers)

    own = Upload.objects.get(member=alice)
    assert own.file == ready.file
    assert answers[1].value == Files((own.public_id,))
    assert own_files(bob, run.answers)[1].value == Files((ready.public_id, lost.public_id))


@pytest.mark.parametrize("inputs", [1, 4])
def test_a_runs_answers_are_read_in_three_queries(
    bob: Member, django_assert_num_queries: DjangoAssertNumQueries, inputs: int
) -> None:
    run = make_run(bob, make_app(parameters=[PICTURE]), status="completed")
    for position in range(1, inputs + 1):
        photo = RunInput.objects.create(run=run, position=position, name="Photo", type="url", value=[])
        upload = Upload.objects.create(member=bob, file=make_stored(), status="ready", name="b.png")
        RunInputUpload.objects.create(input=photo, upload=upload, position=0)

    with django_assert_num_queries(3):
        answers = run.answers[1:]

    assert [len(answer.upload_ids) for answer in answers] == [1] * inputs
