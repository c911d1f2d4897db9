"""Random ids for URLs that are impossible to guess."""

import secrets

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no hyphens, and no letters that look like digits


def new_secret() -> str:
    """Return a secret 192-bit path segment, for URLs that grant access on their own."""
    return secrets.token_urlsafe(24)


def new_public_id() -> str:
    """Return a random 16-character id (79 bits). Its alphabet makes it easy to read aloud."""
    return "".join(secrets.choice(ALPHABET) for _ in range(16))
