"""Log lines that can be kept: paths that are proofs by themselves never stand in them."""

import logging
import re

SECRET_PATH = re.compile(r"(/(?:hooks/lamina|s|invite|password/reset)/)[^/\s\"'?]+")


class MaskSecretPaths(logging.Filter):
    """Replaces the secret part of such paths in the finished message and in its arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        masked = SECRET_PATH.sub(r"\1•••", message)
        if masked != message:
            record.msg, record.args = masked, ()
        return True
