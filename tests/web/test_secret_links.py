"""Secret links: they are long, are looked up by hash, and can be copied again only with the portal's key."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from runs.models import Invite, Member
from runs.web.secret_links import Purpose, find, full_address, hash_of, new_link, token_again, token_of


def test_a_token_is_long_plain_and_never_the_same() -> None:
    links = [new_link(Purpose.INVITE) for _ in range(50)]
    assert len({link.token for link in links}) == 50
    for link in links:
        assert len(link.token) == 32  # 192 bits of randomness
        assert link.token.isascii()
        assert not set(link.token) & set("/+=?&# ")


def test_it_can_be_copied_again_but_only_with_the_portals_key(settings: Settings) -> None:
    nonce, token, token_hash = new_link(Purpose.GUEST)
    assert token_of(Purpose.GUEST, nonce) == token_again(Purpose.GUEST, nonce, token_hash) == token
    settings.SECRET_KEY = "another one"
    assert token_of(Purpose.GUEST, nonce) != token
    assert token_again(Purpose.GUEST, nonce, token_hash) == ""


def test_what_is_stored_tells_nothing_of_the_token() -> None:
    nonce, token, token_hash = new_link(Purpose.INVITE)
    assert token not in (nonce, token_hash)
    assert hash_of(token) == token_hash
    assert hash_of(nonce) != token_hash


def test_a_token_for_one_purpose_is_none_for_another() -> None:
    nonce, token, _ = new_link(Purpose.INVITE)
    assert token_of(Purpose.GUEST, nonce) != token


@pytest.mark.django_db
def test_only_the_whole_token_finds_its_row(alice: Member) -> None:
    link = new_link(Purpose.INVITE)
    invite = Invite.objects.create(
        nonce=link.nonce, token_hash=link.token_hash, invited_by=alice, expires_at=timezone.now() + timedelta(days=7)
    )
    assert find(Invite.objects.all(), link.token) == invite
    for wrong in ("", link.token[:-1], link.token + "x", link.token_hash, link.nonce, "x" * 5000, "\ud800", "é"):
        assert find(Invite.objects.all(), wrong) is None
    assert find(Invite.objects.filter(pk=0), link.token) is None


def test_addresses_are_those_of_the_outside(settings: Settings) -> None:
    settings.PORTAL_URL = "https://portal.example.com/"
    assert full_address("/invite/x/") == "https://portal.example.com/invite/x/"
