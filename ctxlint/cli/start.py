# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the ``ctxlint`` command begins. Python turns an interrupt into an exception, and one
that comes while modules are loaded would print a traceback; until then it just ends us."""

from __future__ import annotations

import signal


def main() -> int:
    """Runs the command line of the process; its exit code."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from ctxlint.cli.main import main as run

    signal.signal(signal.SIGINT, before)
    return run()
