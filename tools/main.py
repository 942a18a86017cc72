"""Where ./tinykv enters Python. Checks the version in syntax that any Python 3 can read."""
import sys

if sys.version_info < (3, 11):
    sys.exit("tinykv: needs Python 3.11 or later, and python3 here is " + sys.version.split()[0])

from tinykv.cli import main  # noqa: E402 (the version must be checked first)

sys.exit(main(sys.argv[1:]))
