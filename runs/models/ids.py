"""Random ids for addresses: nobody can guess another one."""

import secrets

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no hyphens, and no letters that read like digits


def new_secret() -> str:
    """A secret path element of 192 bits, for addresses that are themselves the proof."""
    return secrets.token_urlsafe(24)


def new_public_id() -> str:
    """16 characters of 31 (79 bits), readable aloud."""
    return "".join(secrets.choice(ALPHABET) for _ in range(16))
