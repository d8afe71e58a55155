# SPDX-License-Identifier: GPL-2.0-or-later
"""Model functions are lowered once for all processes of the tests."""

from tests.simulator.conftest import models as models
