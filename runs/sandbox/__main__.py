"""`python -m runs.sandbox --port N`: run the sandbox without Django."""

import sys

from runs.sandbox.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
