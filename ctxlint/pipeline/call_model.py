# SPDX-License-Identifier: GPL-2.0-or-later
"""One model function, called alone: in a kernel that has booted, in one execution context."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctxlint.base.errors import UsageError
from ctxlint.base.places import default_cache
from ctxlint.ir.types import TArray, TInt, TPtr, TVoid
from ctxlint.ir.unit import Function, GlobalVar
from ctxlint.rulebook import Rulebook, load
from ctxlint.scenarios.plain import splat_text
from ctxlint.simulator.code import Code
from ctxlint.simulator.image import Image
from ctxlint.simulator.memory import PAGE
from ctxlint.simulator.outcome import Stop, Unmodelled
from ctxlint.simulator.runtime import library
from ctxlint.simulator.runtime.boot import boot
from ctxlint.simulator.runtime.entries import enter
from ctxlint.simulator.runtime.state import Config
from ctxlint.units.index import keep_models_in


@dataclass(frozen=True, kw_only=True)
class Called:
    """What one call gave.

    ``printed`` are splats, each several lines; ``log`` the lines of printk; ``silent``
    headlines of rules that were broken and of which the kernel says nothing. ``returned``
    is None of a function of type void. ``ending`` says how it ended other than by
    returning (``""``: it returned); ``unmodelled``: since the model has nothing for
    something in it.
    """

    context: str
    rt: bool
    returned: int | None
    printed: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    ending: str = ""
    unmodelled: bool = False


def call_model(
    name: str,
    arguments: Mapping[str, str],
    contexts: Sequence[str],
    kinds: Iterable[bool],
    files: Sequence[Path] = (),
) -> tuple[Called, ...]:
    """Call the model function ``name`` in each of ``contexts`` (names of
    ``rules/contexts.yaml``), in a kernel for each of ``kinds`` (with PREEMPT_RT or not).

    ``arguments`` are parameters by name: a number, or the name of a constant or an
    enumerator. A pointer that is not among them is a page of zeros, a number is 0.
    ``files`` are model files besides those of the tool; one of the same name stands in
    for it. Raises UsageError for what there is not, FrontendError for a file that is no
    model file.
    """
    rules = load()
    for context in contexts:
        if context not in rules.contexts:
            raise _unknown("execution context", context, rules.contexts)
    with contextlib.suppress(UsageError):  # no home directory, so nothing is kept
        keep_models_in(default_cache())
    out = []
    for rt in kinds:
        config = Config(rt=rt)
        image = Image()
        library.add_models(image, config, extra=files)
        function = image.resolve(name)
        if function is None:
            raise _unknown("model function", name, image.overrides)
        values = _values(function, arguments, image, rules)
        code = Code(image)
        out += [_called(code, config, function, values, context) for context in contexts]
    return tuple(out)


def _called(
    code: Code, config: Config, function: Function, values: Sequence[int], context: str
) -> Called:
    kernel = library.kernel(code.image, config, code=code)
    sim = boot(kernel)
    kernel.reports.clear()
    kernel.log.clear()
    returned, ending, unmodelled = None, "", False
    try:
        result = enter(sim, context, lambda: kernel.m.call(function.symbol, *values))
        if not isinstance(function.types[function.ret], TVoid):
            returned = int(result or 0)
    except Unmodelled as stop:
        ending, unmodelled = str(stop), True
    except Stop as stop:
        ending = f"{type(stop).__name__.lower()}: {stop}"
    finally:
        sim.close()
    printed = [text for r in kernel.reports if r.printed and (text := splat_text(r))]
    headlines = {text.partition("\n")[0] for text in printed}
    return Called(
        context=context,
        rt=config.rt,
        returned=returned,
        printed=tuple(printed),
        log=tuple(line for line in kernel.log if line not in headlines),
        silent=tuple(r.headline for r in kernel.reports if not r.printed),
        ending=ending,
        unmodelled=unmodelled,
    )


def _values(
    function: Function, arguments: Mapping[str, str], image: Image, rules: Rulebook
) -> list[int]:
    """The arguments as numbers, in the order of the parameters."""
    params = function.vars[: function.nparams]
    for name in arguments:
        if name not in {p.name for p in params}:
            raise _unknown(f"parameter of {function.name}()", name, [p.name for p in params])
    out = []
    for param in params:
        text = arguments.get(param.name)
        if text is not None:
            out.append(_number(text, image, rules))
        elif isinstance(function.types[param.type], TPtr):
            symbol = f"{function.file}::{function.name}.{param.name}.page"
            types = (TArray(1, PAGE), TInt(8, False))
            image.add_variable(GlobalVar(symbol, param.name, "", 0, (), 0, None, types))
            out.append(image.place(symbol, types[0], types).address)
        else:
            out.append(0)
    return out


def _number(text: str, image: Image, rules: Rulebook) -> int:
    constant = rules.constants.get(text)
    if constant is not None and constant.value is not None:
        return constant.value
    if text in image.enums:
        return image.enums[text]
    try:
        return int(text, 0)
    except ValueError:
        raise UsageError(
            f"{text!r} is neither a number nor a constant that the rules know",
            hint="'ctxlint rules list' has the constants",
        ) from None


def _unknown(what: str, name: str, known: Iterable[str]) -> UsageError:
    near = difflib.get_close_matches(name, list(known), n=3)
    return UsageError(
        f"no {what} is called {name}", hint=f"near: {', '.join(near)}" if near else ""
    )
