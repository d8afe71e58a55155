# SPDX-License-Identifier: GPL-2.0-or-later
"""Plain data from YAML, read by libyaml where PyYAML was built with it (eight times as
fast: 0.03 s instead of 0.27 s for all scenarios)."""

from __future__ import annotations

from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str | bytes) -> Any:
    """What ``yaml.safe_load`` gives; raises ``yaml.YAMLError``."""
    return yaml.load(text, Loader=_LOADER)  # a safe one: plain data, no objects
