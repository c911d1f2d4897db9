"""Pages are sent without their templates' indentation, but with every space in what people wrote."""

import re

import pytest
from django.test import Client

from tests.support.factories import make_app
from tests.support.form_examples import text

POEM = "First line\n    and an indented one\n\n\tand one more"


@pytest.mark.django_db
def test_a_page_has_no_indentation_but_that_of_texts(as_alice: Client) -> None:
    app = make_app(parameters=[text("Poem", default=POEM)])
    page = as_alice.get(app.get_absolute_url()).text.replace("\r\n", "\n")
    assert POEM in page
    assert re.findall(r"^[ \t]+\S.*", page.replace(POEM, ""), re.M) == []
