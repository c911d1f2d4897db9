"""The number of queries on the admins' app pages, with 500 apps that have 40 fields each (A10)."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from runs.models import App, AppRule, AppSchema, FieldRule
from tests.support.factories import make_app

pytestmark = pytest.mark.django_db
MANY = [{"key": f"k{n}", "name": f"Field {n}", "type": "text", "default": ""} for n in range(40)]
SIGNED_IN = 2  # the queries each page makes for the session and the member
LIST = 6  # what the list of apps adds to these, however many apps it shows


def test_500_apps_of_40_fields(as_admin: Client) -> None:
    first = make_app("First", MANY)
    names = [App(name=f"App {n}", remote_id=f"app-{n}", position=n) for n in range(499)]
    apps = [first, *App.objects.bulk_create(names)]
    AppSchema.objects.bulk_create([AppSchema(app=app, version="1", parameters=MANY) for app in apps[1:]])
    AppRule.objects.bulk_create([AppRule(app=app, group=f"Group {n % 7}") for n, app in enumerate(apps)])
    rules = [FieldRule(app=app, key=f"k{n}", label=f"Label {n}") for app in apps[:50] for n in range(40)]
    FieldRule.objects.bulk_create(rules)

    AppRule.objects.filter(app__in=apps[:20]).update(paused_at=timezone.now())

    assert _queries(as_admin, "/manage/apps/") <= LIST + SIGNED_IN
    assert _queries(as_admin, "/manage/apps/?show=paused") <= LIST + SIGNED_IN
    assert _queries(as_admin, reverse("runs:manage-app", args=[first.slug, first.public_id])) <= 8 + SIGNED_IN


def _queries(client: Client, url: str) -> int:
    client.get(url)  # the first request also reads what later ones find in the cache
    with CaptureQueriesContext(connection) as found:
        assert client.get(url).status_code == 200
    return len(found)
