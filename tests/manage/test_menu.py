"""The menu of the admin pages."""

import re

import pytest
from django.test import Client

from tests.support.html import flat

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/manage/", "Health"),
        ("/manage/people/", "People"),
        ("/manage/spending/", "Spending"),
        ("/manage/spending/limits/", "Limits and prices"),
        ("/manage/keeping/protected/", "Retention"),
        ("/manage/log/", "Record"),
    ],
)
def test_the_menu_marks_the_page_it_is_on(as_admin: Client, path: str, label: str) -> None:
    page = flat(as_admin.get(path).content)

    menu = page.split('<nav class="manage-nav')[1].split("</nav>")[0]
    assert re.findall(r'aria-current="page">([^<]*)<', menu) == [label]
    assert ("manage-back" in menu) == (path != "/manage/")  # on a phone, only the first page shows the list
