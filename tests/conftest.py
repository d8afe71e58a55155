# SPDX-License-Identifier: GPL-2.0-or-later
"""Settings for all tests."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is no failure; how fast things are is measured in bench/.
settings.register_profile("ctxlint", deadline=None)
settings.load_profile("ctxlint")
