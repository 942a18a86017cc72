"""Installing packages, with fake dpkg-query, apt-get and sudo."""
from __future__ import annotations

import contextlib
import io
import os
from unittest import mock

from tinykv import setup
from tinykv.console import Failure

from .helpers import ScratchTest

# Answers as dpkg-query does for the packages in $FAKE_INSTALLED; exits 1 if one is unknown to it.
DPKG_QUERY = """#!/bin/sh
shift 3
status=0
for name in "$@"; do
  if grep -qx "$name" "$FAKE_INSTALLED"; then echo "$name installed"
  elif [ "$name" = removed ]; then echo "$name config-files"
  else status=1; echo "no packages found matching $name" >&2; fi
done
exit $status
"""

# Logs what it is asked; an installation works, except of a package called broken.
APT_GET = """#!/bin/sh
echo "$*" >> "$FAKE_LOG"
seen=
for word in "$@"; do
  if [ "$word" = broken ]; then echo "E: Unable to locate package broken"; exit 100; fi
  if [ -n "$seen" ]; then echo "$word" >> "$FAKE_INSTALLED"; fi
  if [ "$word" = --no-install-recommends ]; then seen=1; fi
done
"""

SUDO_THAT_ASKS = "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n"
SUDO_THAT_WORKS = '#!/bin/sh\nshift\nexec "$@"\n'


class SetupTest(ScratchTest):
    def setUp(self) -> None:
        super().setUp()
        self.program("dpkg-query", DPKG_QUERY)
        self.installed = self.file("installed", "here\n")
        self.log = self.file("log")
        for tool in ("sh", "grep", "env", "true"):
            (self.root / "bin" / tool).symlink_to(f"/bin/{tool}")
        environment = {
            "PATH": str(self.root / "bin"),
            "FAKE_INSTALLED": str(self.installed),
            "FAKE_LOG": str(self.log),
        }
        patch = mock.patch.dict(os.environ, environment)
        patch.start()
        self.addCleanup(patch.stop)
        self.become(user=0)

    def become(self, user: int) -> None:
        patch = mock.patch("os.geteuid", return_value=user)
        patch.start()
        self.addCleanup(patch.stop)

    def ensure(self, *names: str) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as text:
            setup.ensure({name: f"what {name} is for" for name in names})
        return text.getvalue()

    def test_missing_is_what_dpkg_does_not_call_installed(self) -> None:
        self.assertEqual(setup.missing(["a", "here", "removed", "b"]), ["a", "removed", "b"])
        self.assertEqual(setup.missing(["here"]), [])

    def test_nothing_is_done_or_said_where_nothing_is_missing(self) -> None:
        self.program("apt-get", APT_GET)
        self.assertEqual(self.ensure("here"), "")
        self.assertEqual(self.log.read_text(), "")

    def test_root_installs_what_is_missing_and_says_what(self) -> None:
        self.program("apt-get", APT_GET)
        text = self.ensure("here", "new")
        self.assertRegex(text, r"new +what new is for")
        update, install = self.log.read_text().splitlines()
        self.assertTrue(update.endswith(" update"))
        self.assertTrue(install.endswith("install -y --no-install-recommends new"))

    def test_a_user_installs_by_sudo_that_needs_no_password(self) -> None:
        self.become(user=1000)
        self.program("apt-get", APT_GET)
        self.program("sudo", SUDO_THAT_WORKS)
        self.ensure("new")
        self.assertIn("new", self.installed.read_text())

    def test_a_user_without_sudo_gets_the_command(self) -> None:
        self.become(user=1000)
        self.program("apt-get", APT_GET)
        for sudo in (None, SUDO_THAT_ASKS):
            if sudo:
                self.program("sudo", sudo)
            with self.assertRaisesRegex(Failure, "run: sudo sh -c 'apt-get update && .* new'"):
                self.ensure("new")
        self.assertEqual(self.log.read_text(), "")

    def test_without_apt_the_missing_packages_are_listed(self) -> None:
        with self.assertRaisesRegex(Failure, "no apt-get to install these packages with: new"):
            self.ensure("here", "new")

    def test_without_dpkg_all_packages_are_listed(self) -> None:
        (self.root / "bin" / "dpkg-query").unlink()
        with self.assertRaisesRegex(Failure, "made for Debian 12 .* here new"):
            self.ensure("here", "new")

    def test_a_failed_installation_shows_what_apt_said(self) -> None:
        self.program("apt-get", APT_GET)
        with self.assertRaisesRegex(Failure, "apt-get failed") as caught:
            self.ensure("broken")
        self.assertIn("Unable to locate package", caught.exception.details)
