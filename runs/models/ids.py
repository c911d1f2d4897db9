"""Random ids for addresses: they do not count up, so nobody can guess a neighbour."""

import secrets

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no hyphens, and no letters that read like digits


def new_secret() -> str:
    """A secret path element of 192 bits, for addresses that are the proof themselves."""
    return secrets.token_urlsafe(24)


def new_public_id() -> str:
    """16 characters of 31 (79 bits), readable aloud."""
    return "".join(secrets.choice(ALPHABET) for _ in range(16))
