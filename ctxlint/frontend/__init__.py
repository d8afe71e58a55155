# SPDX-License-Identifier: GPL-2.0-or-later
"""libclang to IR. The only package that knows clang."""

from ctxlint.frontend.lower import lower_unit
from ctxlint.frontend.overlay import write_overlay
from ctxlint.frontend.refs import inline_refs
from ctxlint.frontend.worker import Failure, Lowerer, Request, lower_many

__all__ = [
    "Failure",
    "Lowerer",
    "Request",
    "inline_refs",
    "lower_many",
    "lower_unit",
    "write_overlay",
]
