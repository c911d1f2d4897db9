"""Log lines that can be kept: paths that are proofs by themselves never stand in them."""

import logging
import re

SLASH = "(?:/|%2F)"  # the latter where one address stands in another: `?next=`, the referrer of a mail filter
SECRET_PATH = re.compile(
    rf"({SLASH}(?:hooks{SLASH}lamina|s|invite|password{SLASH}reset){SLASH})[^/\s\"'?]+",
    re.IGNORECASE,  # a phone that begins with a capital letter finds nothing, but has the token all the same
)


class MaskSecretPaths(logging.Filter):
    """Replaces the secret part of such paths in the finished message and in its arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        masked = SECRET_PATH.sub(r"\1•••", message)
        if masked != message:
            record.msg, record.args = masked, ()
        return True
