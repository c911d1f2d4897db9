"""Random ids for URLs that are impossible to guess."""

import secrets

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no hyphens, and no letters that look like digits


def new_secret() -> str:
    """Return a secret path segment of 192 bits, for URLs that grant access by themselves."""
    return secrets.token_urlsafe(24)


def new_public_id() -> str:
    """Return a random id of 16 characters (79 bits). Its alphabet makes it easy to read aloud."""
    return "".join(secrets.choice(ALPHABET) for _ in range(16))
