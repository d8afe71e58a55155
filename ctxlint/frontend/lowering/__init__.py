# SPDX-License-Identifier: GPL-2.0-or-later
"""Bodies and initialisers that libclang parsed, to IR.

``state.py`` has the tables by which a cursor finds its function; the other modules fill
them, and so are all imported here.
"""

from ctxlint.frontend.lowering import asm, expressions  # noqa: F401 - fill the table
from ctxlint.frontend.lowering.initialisers import initialiser
from ctxlint.frontend.lowering.jumps import label_blocks
from ctxlint.frontend.lowering.state import State
from ctxlint.frontend.lowering.statements import lower_body
from ctxlint.frontend.lowering.unit import UnitContext

__all__ = ["State", "UnitContext", "initialiser", "label_blocks", "lower_body"]
