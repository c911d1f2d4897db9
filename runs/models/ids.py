"""Random ids for URLs, which nobody can guess."""

import secrets

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no hyphens, and no letters that look like digits


def new_secret() -> str:
    """Return a secret path segment of 192 bits, for URLs that grant access by themselves."""
    return secrets.token_urlsafe(24)


def new_public_id() -> str:
    """Return 16 characters from an alphabet of 31 (79 bits), easy to read aloud."""
    return "".join(secrets.choice(ALPHABET) for _ in range(16))
