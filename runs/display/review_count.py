"""The number next to Review in the main bar: results waiting for the member's decision.

Every page shows this number, so counting takes just one query for people who may decide, and none for anyone else.
Whether makers may decide is cached for a minute.
"""

import functools

from django.core.cache import cache
from django.http import HttpRequest

from runs.models import Member, ReviewRules
from runs.review import review_queries
from runs.words.numbers import capped_words

DECIDERS = "review.deciders"
REMEMBERED_SECONDS = 60


def count_words(member: Member) -> str:
    """Return how many results are waiting for `member`, such as "3" or "99+"; "" if none."""
    if not shows_review(member):
        return ""
    return words_of(review_queries.waiting_count(member))


def words_of(count: int) -> str:
    """Return a short form of a count, such as "3" or "99+"; "" if it is 0."""
    return capped_words(count, review_queries.COUNTED) if count else ""


def shows_review(member: Member) -> bool:
    """Return whether pages show `member` what is waiting for them and offer them to decide. A change of the rules takes
    up to a minute to show, so this isn't a check. For approvers and admins, it takes no queries."""
    return ReviewRules().may_decide(member) or _remembered_rules().may_decide(member)


def _remembered_rules() -> ReviewRules:
    deciders = cache.get_or_set(DECIDERS, lambda: ReviewRules.current().deciders, REMEMBERED_SECONDS)
    return ReviewRules(deciders=deciders or "")


def review_context(request: HttpRequest) -> dict[str, object]:
    """Context processor: add the number for signed-in people. It's only counted if the page shows it."""
    user = getattr(request, "user", None)
    return {"review_count": functools.cache(lambda: count_words(user) if isinstance(user, Member) else "")}
