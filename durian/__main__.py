"""``python -m durian``."""

import sys

from durian.cli import main

if __name__ == "__main__":
    sys.exit(main())
