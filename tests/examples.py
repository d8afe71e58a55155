# SPDX-License-Identifier: GPL-2.0-or-later
"""How many examples hypothesis draws: few in the fast tier, many in the slow one."""

from __future__ import annotations

import os

FILES = (
    "contexts/test_random_programs.py",
    "ir/test_codec.py",
    "model/splat/test_format.py",
    "model/splat/test_parse.py",
    "pipeline/test_store_damage.py",
    "semantics/test_rule_calls.py",
    "store/test_model.py",
)
"""Below ``tests/``: those whose examples are dear."""


def examples(few: int) -> int:
    """``few``, times CTXLINT_EXAMPLES."""
    return few * int(os.environ.get("CTXLINT_EXAMPLES", "1"))
