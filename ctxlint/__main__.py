# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m ctxlint``."""

import sys

from ctxlint.cli.start import main

if __name__ == "__main__":
    sys.exit(main())
