# SPDX-License-Identifier: GPL-2.0-or-later
"""How many examples hypothesis draws: few in the fast tier, many in the slow one."""

from __future__ import annotations

import os

FILES = (
    "analysis/test_random_programs.py",
    "facts/test_state.py",
    "fuzz/test_readers.py",
    "ir/test_codec.py",
    "kernel_log/test_format.py",
    "kernel_log/test_parse.py",
    "kernel_log/test_readers.py",
    "pipeline/test_store_damage.py",
    "semantics/test_rule_calls.py",
    "semantics/test_terms.py",
    "simulator/fuzz/test_memory.py",
    "store/test_model.py",
)
"""Below ``tests/``: those whose examples are dear."""


def examples(few: int) -> int:
    """``few``, times CTXLINT_EXAMPLES."""
    return few * int(os.environ.get("CTXLINT_EXAMPLES", "1"))
