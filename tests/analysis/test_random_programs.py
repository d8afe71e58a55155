# SPDX-License-Identifier: GPL-2.0-or-later
"""Random small functions: whatever a run of them does, the summary has said.

A program is a tree of tuples. :func:`c_text` writes it as C, :class:`Run` executes it
with every answer of ``unknown()``, and each ``mark()`` that a run comes by must be among
the points of that call site, with this context and guards that hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.snippet import edges, facts
from ctxlint.facts import build, limits, transfer
from ctxlint.facts.rule_effects import Taken
from ctxlint.facts.summary import Point
from ctxlint.semantics.terms import Const, IrqsOff, Param, truth

Stmt = tuple[Any, ...]
ANSWERS_MAX = 6
STEPS_MAX = 60
VARIABLES = ("p", "q", "x", "y")

_conditions = st.one_of(
    st.sampled_from([*VARIABLES, "!p", "!x", "!y", "unknown()", "!unknown()"]),
    st.tuples(
        st.sampled_from(VARIABLES), st.sampled_from(("&&", "||")), st.sampled_from(VARIABLES)
    ).map(" ".join),
    st.tuples(st.sampled_from(VARIABLES), st.sampled_from((" == ", " != ")),
              st.sampled_from(("0", "1", "x"))).map("".join),
)  # fmt: skip
_simple = st.one_of(
    st.just(("mark",)),
    st.just(("lock",)),
    st.tuples(
        st.just("set"),
        st.sampled_from(("x", "y")),
        st.sampled_from(("0", "1", "unknown()", "p", "x", "y", "!x")),
    ),
    st.tuples(st.just("call"), st.sampled_from(("", "x", "y")), st.sampled_from(VARIABLES)),
    st.sampled_from([("break",), ("return", "x"), ("return", "1")]),
)


def _compound(inner: st.SearchStrategy[Stmt]) -> st.SearchStrategy[Stmt]:
    body = st.lists(inner, max_size=4).map(tuple)
    return st.one_of(
        st.tuples(st.just("if"), _conditions, body, body),
        st.tuples(st.just("while"), _conditions, body),
        st.tuples(st.just("try"), body, body),
        st.tuples(st.just("irqsave"), body),
    )


def _bodies(simple: st.SearchStrategy[Stmt]) -> st.SearchStrategy[tuple[Stmt, ...]]:
    return st.lists(st.recursive(simple, _compound, max_leaves=8), max_size=5).map(tuple)


BODIES = _bodies(st.one_of(_simple, st.just(("unlock",))))
# No unlocking: a helper that unlocks under a condition which its caller does not know is
# taken to know best (lock_calls.paired_release).
HELPERS = _bodies(_simple)


def c_text(body: tuple[Stmt, ...], loop: bool = False) -> str:
    return "".join(_statement(s, loop) for s in body)


def _statement(s: Stmt, loop: bool) -> str:
    kind = s[0]
    if kind == "if":
        return f"if ({s[1]}) {{ {c_text(s[2], loop)} }} else {{ {c_text(s[3], loop)} }}\n"
    if kind == "while":
        return f"while ({s[1]}) {{ {c_text(s[2], True)} }}\n"
    if kind == "try":
        inside, outside = c_text(s[1], loop), c_text(s[2], loop)
        return (
            f"if (_raw_spin_trylock(&a)) {{ {inside} _raw_spin_unlock(&a); }}\n"
            f"else {{ {outside} }}\n"
        )
    if kind == "irqsave":
        return (
            f"{{ unsigned long fl = _raw_spin_lock_irqsave(&b); {c_text(s[1], loop)} "
            "_raw_spin_unlock_irqrestore(&b, fl); }\n"
        )
    if kind == "break":
        return "break;\n" if loop else ";\n"
    if kind == "set":
        return f"{s[1]} = {s[2]};\n"
    if kind == "call":
        return (f"{s[1]} = " if s[1] else "") + f"g({s[2]}, 1);\n"
    if kind == "return":
        return f"return {s[1]};\n"
    if kind == "mark":
        return f"mark({s[1]});\n"
    return f"_raw_spin_{kind}(&a);\n"


class _Over(BaseException):
    """No more answers or steps: this run is looked at no further."""


class _Return(BaseException):
    def __init__(self, value: int) -> None:
        self.value = value


class _Break(BaseException):
    pass


class Run:
    """One execution with given answers. ``marks`` are (site, irq, pre) of ``f``."""

    def __init__(self, answers: tuple[int, ...], helper: tuple[Stmt, ...], irq: int) -> None:
        self.answers = answers
        self.used = 0
        self.steps = 0
        self.helper = helper
        self.irq = irq
        self.pre = 0
        self.depth = 0
        self.marks: list[tuple[int, int, int]] = []

    def function(self, body: tuple[Stmt, ...], p: int, q: int) -> int:
        try:
            self.block(body, {"p": p, "q": q, "x": 0, "y": 0}, False)
        except _Return as result:
            return result.value
        return 0

    def unknown(self) -> int:
        if self.used == len(self.answers):
            raise _Over
        self.used += 1
        return self.answers[self.used - 1]

    def value(self, text: str, env: dict[str, int]) -> int:
        """Of an expression in C: the operators are Python's but for three."""
        for word, python in ((" && ", " and "), (" || ", " or "), ("!=", "<>")):
            text = text.replace(word, python)
        text = text.replace("!", "not ").replace("<>", "!=")
        result = eval(text, {"unknown": self.unknown}, env)
        return int(bool(result)) if "and" in text or "or" in text else int(result)

    def block(self, body: tuple[Stmt, ...], env: dict[str, int], loop: bool) -> None:
        for s in body:
            self.steps += 1
            if self.steps > STEPS_MAX or not -2 <= self.pre <= 4:
                raise _Over
            self.statement(s, env, loop)

    def statement(self, s: Stmt, env: dict[str, int], loop: bool) -> None:
        kind = s[0]
        if kind == "mark" and self.depth == 0:
            self.marks.append((s[1], self.irq, self.pre))
        elif kind == "lock":
            self.pre += 1
        elif kind == "unlock":
            self.pre -= 1
        elif kind == "set":
            env[s[1]] = self.value(s[2], env)
        elif kind == "call" and self.depth == 0:
            self.depth += 1
            result = self.function(self.helper, env[s[2]], 1)
            self.depth -= 1
            if s[1]:
                env[s[1]] = result
        elif kind == "call" and s[1]:
            env[s[1]] = self.unknown()
        elif kind == "return":
            raise _Return(self.value(s[1], env))
        elif kind == "break" and loop:
            raise _Break
        elif kind == "if":
            self.block(s[2] if self.value(s[1], env) else s[3], env, loop)
        elif kind == "while":
            try:
                while self.value(s[1], env):
                    self.steps += 1
                    self.block(s[2], env, True)
                    if self.steps > STEPS_MAX:
                        raise _Over
            except _Break:
                pass
        elif kind == "try":
            if self.unknown():
                self.pre += 1
                self.block(s[1], env, loop)
                self.pre -= 1
            else:
                self.block(s[2], env, loop)
        elif kind == "irqsave":
            saved, self.irq = self.irq, 1
            self.pre += 1
            self.block(s[1], env, loop)
            self.irq = saved
            self.pre -= 1


def runs(
    body: tuple[Stmt, ...], helper: tuple[Stmt, ...]
) -> Iterator[tuple[int, int, int, Run]]:
    """Every run: entry interrupts, both parameters, and the run."""
    for n in range(8):
        irq, p, q = n & 1, n >> 1 & 1, n >> 2
        todo: list[tuple[int, ...]] = [()]
        while todo:
            answers = todo.pop()
            run = Run(answers, helper, irq)
            try:
                run.function(body, p, q)
            except _Over:
                if run.used == len(answers) < ANSWERS_MAX and run.steps <= STEPS_MAX:
                    todo += [(*answers, 0), (*answers, 1)]
            yield irq, p, q, run


def numbered(body: tuple[Stmt, ...], count: Iterator[int]) -> tuple[Stmt, ...]:
    """The same with a number in each mark."""
    return tuple(
        ("mark", next(count))
        if s[0] == "mark"
        else tuple(numbered(part, count) if isinstance(part, tuple) else part for part in s)
        for s in body
    )


def covers(point: Point, irq_at_entry: int, irq: int, pre: int, p: int, q: int) -> bool:
    known = {Param(0): p, Param(1): q, IrqsOff(): irq_at_entry}
    there = irq_at_entry if point.delta.irqs == -1 else point.delta.irqs
    return (
        there == irq
        and point.delta.counts.preempt == pre
        and all(truth(g.value, known.get) in (None, g.truth) for g in point.guards)
    )


@pytest.fixture(scope="module", params=[400, 1, 2, 5], ids="limit {}".format)
def limit(request: pytest.FixtureRequest) -> Iterator[int]:
    """Each limit of a summary set to a number; with 400 none is reached."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("STATES_PER_BLOCK", "POINTS_PER_CALL", "VALUES_MAX", "NAMED_MAX",
                     "OUTCOMES_MAX"):  # fmt: skip
            patch.setattr(limits, name, request.param)
        # A helper that no caller can use is not believed (tests/facts/test_believed.py).
        patch.setattr(transfer, "believed", lambda outcomes, _: outcomes)
        patch.setattr(build, "followed", lambda outcomes: outcomes)
        patch.setattr(transfer, "least_often", tuple)
        # A run counts the locks that it takes, be they one.
        patch.setattr(Taken, "_is_one", lambda self, e: False)
        yield request.param


@pytest.mark.filterwarnings("ignore:The recursion limit")
@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(body=BODIES, helper=HELPERS)
def test_what_a_run_does_the_summary_says(
    limit: int, body: tuple[Stmt, ...], helper: tuple[Stmt, ...]
) -> None:
    """Or it says that a limit dropped something."""
    body, helper = numbered(body, count()), numbered(helper, count())
    helper = tuple(s for s in helper if s[0] != "call")
    text = (
        f"static int g(int p, int q)\n{{ int x = 0, y = 0;\n{c_text(helper)} return 0; }}\n"
        f"int f(int p, int q)\n{{ int x = 0, y = 0;\n{c_text(body)} return 0; }}\n"
    )
    summaries = facts(text).summaries
    lost = {loss.what for s in summaries for loss in s.losses} - {
        "values",
        "arguments",
        "saves",  # a loop may go on saving
    }
    assert limit < 400 or not lost
    if lost:
        return
    [fn] = (s for s in summaries if s.name == "f")
    found = {e.points[0].args[0]: e.points for e in edges(fn)}
    for irq_at_entry, p, q, run in runs(body, helper):
        for number, irq, pre in run.marks:
            assert any(
                covers(point, irq_at_entry, irq, pre, p, q)
                for point in found.get(Const(number), ())
            ), f"{text}mark({number}): {p=} {q=} {irq_at_entry=} {run.answers}: {irq=} {pre=}"
