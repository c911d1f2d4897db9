"""If two admins save the first rules at the same moment, the second admin is shown what the first one saved."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model

from runs.audit.overtaken import OvertakenError
from runs.history import retention_rules
from runs.models import RetentionRules, ReviewRules, SharingRules, SpendingLimits
from runs.review import rules as review_rules
from runs.sharing import rules as sharing_rules
from runs.spending import limit_settings

type Save = Callable[[Any, str], object]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("model", "field", "values", "seen_of", "save"),
    [
        (RetentionRules, "ready_days", (30, 60), retention_rules.rules_version, retention_rules.save),
        (SharingRules, "longest_days", (30, 60), sharing_rules.rules_version, sharing_rules.change_rules),
        (
            ReviewRules,
            "four_eyes",
            (True, True),
            review_rules.rules_version,
            lambda rules, seen: review_rules.change_rules(rules, [], [], seen),
        ),
        (
            SpendingLimits,
            "portal_hundredths",
            (3000, 6000),
            lambda rules: limit_settings.rules_version(),
            limit_settings.change_rules,
        ),
    ],
)
def test_two_first_saves_at_once_leave_one_row_and_tell_the_second(
    model: type[Model], field: str, values: tuple[Any, Any], seen_of: Callable[[Any], str], save: Save
) -> None:
    seen, gate = seen_of(model()), threading.Barrier(2)
    others = {"deciders": "maker"} if model is ReviewRules else {}

    def press(value: Any, more: dict[str, Any]) -> str:
        try:
            gate.wait()
            save(model(**{field: value}, **more), seen)
        except OvertakenError:
            return "told"
        finally:
            connection.close()
        return "saved"

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(press, values, ({}, others)))

    assert sorted(ends) == ["saved", "told"]
    (row,) = model._default_manager.all()
    assert getattr(row, field) == values[ends.index("saved")]
