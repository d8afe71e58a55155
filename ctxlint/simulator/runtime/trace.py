# SPDX-License-Identifier: GPL-2.0-or-later
"""Which functions of a call stack the kernel's call trace shows.

A compiler leaves no frame of its own for a function that it inlines. The rule here is
what gcc does at -O2 in the recorded logs: functions declared ``inline`` vanish
(whether in a header or a model file), and so do ``static`` functions of the kernel
that are called from one place and whose address nobody takes. Sibling calls keep their
frames (the kernel is built with frame pointers). A model function that is not
``inline`` always shows: model files name and nest functions as the logs do.
"""

from __future__ import annotations

from ctxlint.ir import ops
from ctxlint.ir.unit import Function
from ctxlint.ir.walk import children, operands
from ctxlint.simulator.image import Image
from ctxlint.simulator.runtime.state import Place


def call_trace(image: Image, frames: tuple[Place, ...]) -> tuple[str, ...]:
    """Names of the functions of ``frames`` that have a stack frame, innermost first."""
    return tuple(
        place.fn.name
        for place in frames
        if not ("inline" in place.fn.attrs if place.model else inlined(image, place.fn))
    )


def inlined(image: Image, fn: Function) -> bool:
    """Whether the compiler gives a function of the kernel no frame of its own."""
    if "inline" in fn.attrs:
        return True
    if "static" not in fn.attrs:
        return False
    calls, taken = _uses(image, fn.file)
    return calls.get(fn.symbol, 0) == 1 and fn.symbol not in taken


def _uses(image: Image, file: str) -> tuple[dict[str, int], set[str]]:
    """Of a file: calls by symbol of the callee, and functions whose address is taken."""
    found = image.uses.get(file)
    if found is not None:
        return found
    calls: dict[str, int] = {}
    taken: set[str] = set()
    stack: list[ops.Expr] = []
    for fn in image.functions.values():
        if fn.file != file:
            continue
        for block in fn.blocks:
            for op in (*block.ops, block.term):
                if isinstance(op, ops.Call):
                    stack += op.args
                    if isinstance(op.fn, ops.Func):
                        calls[op.fn.symbol] = calls.get(op.fn.symbol, 0) + 1
                    else:
                        stack.append(op.fn)
                else:
                    stack += operands(op)
    for variable in image.variables.values():
        if variable.file == file and variable.init is not None:
            stack.append(variable.init)
    while stack:
        e = stack.pop()
        if isinstance(e, ops.Func):
            taken.add(e.symbol)
        stack += children(e)
    image.uses[file] = calls, taken
    return calls, taken


__all__ = ["call_trace", "inlined"]
