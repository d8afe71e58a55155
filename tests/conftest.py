# SPDX-License-Identifier: GPL-2.0-or-later
"""Settings for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# Whoever runs the tests may have settings of their own.
os.environ["XDG_CONFIG_HOME"] = "/nonexistent"

# A busy machine is no failure; how fast things are is measured in bench/.
settings.register_profile("ctxlint", deadline=None)
settings.load_profile("ctxlint")
