"""`python -m runs.sandbox --port N`: runs the sandbox without Django."""

import sys

from runs.sandbox.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
