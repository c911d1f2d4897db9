"""New passwords: long enough, not common, and not what an attacker who knows the person would try first."""

import time

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django import Settings

from runs.models import Member
from runs.team.password_rules import TOO_COMMON, TOO_EASY, TOO_SHORT, TOO_SIMILAR, PasswordRules

KIM = Member(name="Kimberley Ångström", email="kim.lee@acme.example")


def said(password: str, member: Member | None = KIM) -> str:
    try:
        PasswordRules().validate(password, member)
    except ValidationError as error:
        (sentence,) = error.messages
        return sentence
    return ""


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("k7#vQ2mZ9", TOO_SHORT),
        ("password1234", TOO_COMMON),
        ("qwertyuiop", TOO_COMMON),
        ("Password123!", TOO_EASY),
        ("aaaaaaaaaaaaaaaa", TOO_EASY),
        ("abcabcabcabcabc", TOO_EASY),
        ("Kimberley1", TOO_SIMILAR),
        ("KimberleyÅngström", TOO_SIMILAR),
        ("kim.lee@acme.example", TOO_SIMILAR),
        ("acme.example1", TOO_SIMILAR),
        ("ångström12", TOO_SIMILAR),
        ("lamina portal", TOO_SIMILAR),
        ("laminaportal1", TOO_SIMILAR),
        ("studio.internal", TOO_SIMILAR),
        ("a long enough password", ""),
        ("correct horse battery staple", ""),
        ("k7#vQ2mZ9x", ""),
        ("ключ от склада номер семь", ""),
    ],
)
def test_one_sentence_says_what_to_do(settings: Settings, password: str, sentence: str) -> None:
    settings.PORTAL_URL = "https://studio.internal"
    assert said(password) == sentence


def test_without_a_person_the_rest_still_counts() -> None:
    assert said("password1234", None) == TOO_COMMON
    assert said("Kimberley Ångström", None) == ""


def test_the_longest_password_takes_no_time() -> None:
    """The form accepts 1,000 characters, but estimating the strength of all of them would take several seconds."""
    began = time.process_time()
    said("aB3$xY7!" * 125)
    assert time.process_time() - began < 0.5


def test_one_persons_words_do_not_count_for_the_next_person() -> None:
    assert said("Kimberley77 Ångström", KIM) != ""
    assert said("Kimberley77 Ångström", Member(name="Bo", email="bo@x.example")) == ""


@pytest.mark.django_db
def test_forms_say_it_beside_the_field(as_alice: Client) -> None:
    form = {"old_password": "a long enough password", "password": "Password123!"}
    page = as_alice.post("/password/change/", form).content.decode()
    assert (
        page.count("too easy to guess. Add a few unrelated words") == 2
    )  # once above the form, and once next to the field
    assert "At least 10 characters." in as_alice.get("/me/").content.decode()
