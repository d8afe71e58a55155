# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts: run a finding's way, with everything that is not known left open.

``confirmed``: an execution made the operation in a context that does not allow it.
``refuted``: every execution was followed to its end, and none did; the guard says why.
``not reproduced within bounds``: a bound ended an execution that might have.
``unmodelled``: none did, but something was met that the model knows nothing about.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ctxlint.ir.types import TInt, TPtr, TRecord
from ctxlint.ir.unit import Function
from ctxlint.model.code import Code, Frame, Meta
from ctxlint.model.explore.agenda import Agenda
from ctxlint.model.explore.path import Bounds, Decision, Path, Site, Taken
from ctxlint.model.explore.ruled import Known, Ruled, count
from ctxlint.model.explore.target import Follower, Left, Way
from ctxlint.model.explore.unknown import Unknown
from ctxlint.model.explore.variables import Variables, Writes, writes_of
from ctxlint.model.image import MODEL_FILES, Image
from ctxlint.model.machine import Machine
from ctxlint.model.memory import Blob, Fault
from ctxlint.model.outcome import Crashed, Cut, Hang, Infeasible, OutOfFuel, Stop, Unmodelled
from ctxlint.model.runtime.library import BOOT
from ctxlint.model.runtime.splats import splat_text
from ctxlint.model.runtime.state import (
    HARDIRQ,
    NMI,
    RUNNING,
    SOFTIRQ,
    Alone,
    Config,
    Kernel,
    Report,
)  # fmt: skip
from ctxlint.model.values import Sym, Value, leaves, text
from ctxlint.rulebook.book import Rulebook
from ctxlint.rulebook.schema import ContextState

CONFIRMED = "confirmed"
REFUTED = "refuted"
BOUNDS = "not reproduced within bounds"
UNMODELLED = "unmodelled"
_DOUBT = {REFUTED: 0, BOUNDS: 1, UNMODELLED: 2}


@dataclass(frozen=True, kw_only=True)
class Start:
    """How the entry point is called. ``task`` is the name of the task (``"idle"``: the
    CPU's idle task), with ``{cpu}`` for the CPU's number; it runs on each of ``cpus`` in
    turn, since code may tell the first one apart; ``outer`` are the
    functions of the kernel that call it, innermost first; ``values``: numbers that
    global variables can have there."""

    state: ContextState
    context: str = ""
    task: str = "init"
    cpus: tuple[int, ...] = (0, 1)
    outer: tuple[str, ...] = ()
    values: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """``why``: one line for people. ``values``: conditions under which the way is
    taken, as ``"gic_rdists->has_rvpeid = 1"``. ``assumed``: what nothing is known about
    and was taken to return. ``report``: what the run found, when confirmed."""

    verdict: str
    why: str
    values: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    report: Report | None = None
    splat: str = ""
    executions: int = 0
    seconds: float = 0.0


class _ArrivedError(Stop):
    def __init__(self, report: Report) -> None:
        super().__init__(report.headline)
        self.report = report


class _Machine(Machine):
    """A machine whose executions are followed along a way."""

    follower: Follower

    def took(self, frame: Frame, block: int) -> None:
        self.follower.took(frame, block, self.stack)


class Verifier:
    """For the findings of one profile; compiled code is shared between them.

    ``boot(m, config)`` makes the kernel's runtime; by default the bare state, where
    locks and allocators are known from their rules alone.
    """

    def __init__(
        self,
        image: Image,
        rules: Rulebook,
        rt: bool,
        known: Known,
        *,
        bounds: Bounds | None = None,
        boot: Callable[[Machine, Config], Kernel] = Kernel,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.image = image
        self.rules = rules
        self.rt = rt
        self.known = known
        self.bounds = bounds or Bounds()
        self.boot = boot
        self.clock = clock
        self.writes: Writes = writes_of(image)
        image.beyond = self._told_by_rule
        self.base = Code(image)
        self.modelled = image.resolve(BOOT) is not None

    def _told_by_rule(self, symbol: str) -> bool:
        """As in the analysis: a rule stands for a header function, not for one of an
        audited .c file."""
        if self.rules.api(symbol) is None:
            return False
        own = self.image.functions.get(symbol)
        if own is None or own.file.startswith(MODEL_FILES):
            return True
        return not own.file.endswith(".c")

    def verify(self, way: Way, start: Start) -> Verdict:
        """Explore until the operation is reached or nothing is left to try."""
        weakest: Verdict | None = None
        executions = 0
        for cpu in start.cpus:
            verdict = _Exploration(self, way, start, cpu).run()
            executions += verdict.executions
            verdict = replace(verdict, executions=executions)
            if verdict.verdict == CONFIRMED:
                return verdict
            if weakest is None or _DOUBT[verdict.verdict] > _DOUBT[weakest.verdict]:
                weakest = verdict
        assert weakest is not None
        return replace(weakest, executions=executions)


@dataclass
class _Tally:
    """What ended the executions that did not arrive."""

    cuts: list[str] = field(default_factory=list)
    unmodelled: list[str] = field(default_factory=list)
    met: list[str] = field(default_factory=list)
    left: Left | None = None
    taken: tuple[Taken, ...] = ()
    unsure: bool = False
    crashed: str = ""


class _Exploration:
    def __init__(self, verifier: Verifier, way: Way, start: Start, cpu: int) -> None:
        self.v = verifier
        self.cpu = cpu
        self.way = way
        self.start = start
        self.code = Code(verifier.image, base=verifier.base, traced=way.symbols)
        self.agenda = Agenda()
        self.tally = _Tally()
        self.executions = 0
        self.questions = 0
        self.steps = 0
        self.deadline = 0.0

    def run(self) -> Verdict:
        clock = self.v.clock
        began = clock()
        bounds = self.v.bounds
        self.deadline = clock() + bounds.seconds
        while self.agenda:
            if self.executions >= bounds.paths:
                self.tally.cuts.append(f"{bounds.paths} executions")
                break
            late = self._late(0)
            if late:
                self.tally.cuts.append(late)
                break
            prefix = self.agenda.next()
            self.executions += 1
            verdict = self._execute(prefix)
            if verdict is not None:
                return replace(verdict, executions=self.executions, seconds=clock() - began)
        return replace(self._failed(), executions=self.executions, seconds=clock() - began)

    def _execute(self, prefix: tuple[Decision, ...]) -> Verdict | None:
        follower = Follower(self.way)
        path = Path(prefix, self.v.bounds, partial(self._fork, follower))
        m, outside = self._machine(path, follower)
        try:
            self._call_entry(m, path)
        except _ArrivedError as arrived:
            return self._confirmed(path, outside, arrived.report)
        except Infeasible:
            return None
        except Cut as cut:
            self.tally.cuts.append(str(cut))
        except OutOfFuel as fuel:
            self.tally.cuts.append(f"steps in {fuel}")
        except Unmodelled as missing:
            self.tally.unmodelled.append(str(missing))
        except RecursionError:
            self.tally.cuts.append("depth of calls")
        except Fault as fault:
            # Unknown memory has no wrong addresses: the model lacks something.
            frame = m.stack[-1] if m.stack else None
            self.tally.unmodelled.append(f"{fault} ({m.place(frame) if frame else ''})")
        except (Crashed, Hang) as end:
            self.tally.crashed = str(end)
        self.questions += path.condition.questions
        self.steps += self.v.bounds.fuel - m.fuel
        self._tally(path, outside, follower)
        return None

    def _late(self, questions: int) -> str:
        """The bound that is used up, in words."""
        bounds = self.v.bounds
        if self.questions + questions > bounds.questions:
            return f"{bounds.questions} questions to the solver"
        if self.steps > bounds.steps:
            return f"{bounds.steps} steps"
        if self.v.clock() > self.deadline:
            return f"{bounds.seconds:g} seconds"
        return ""

    def _fork(
        self, follower: Follower, decisions: tuple[Decision, ...], site: Site, way: bool
    ) -> None:
        self.agenda.add(
            decisions, site, way, left=follower.left is not None, reached=follower.reached
        )

    def _machine(self, path: Path, follower: Follower) -> tuple[_Machine, Unknown]:
        v = self.v
        variables = Variables(path, v.writes, self.start.values)
        outside = Unknown(
            path,
            Ruled(path, v.rules, v.known, self.start.context),
            variables,
            self._target,
            self._is_goal,
        )
        m = _Machine(self.code, outside, fuel=v.bounds.fuel)
        m.follower = follower
        path.attach(m)
        path.late = self._late
        path.guide = _Guide(follower, m)
        kernel = v.boot(m, Config(rt=v.rt))
        kernel.sched = _Hardware(kernel, m)
        if v.modelled:
            variables.boot(m)
        kernel.system_state = RUNNING
        self._enter(kernel)
        kernel.reports = _Watched(self._reported)
        return m, outside

    def _enter(self, kernel: Kernel) -> None:
        state = self.start.state
        cpu = kernel.cpu = kernel.cpus[self.cpu]
        if self.start.task == "idle":
            task = cpu.idle
        else:
            task = kernel.new_task(self.start.task.format(cpu=cpu.number), cpu.number)
        cpu.current = task
        kernel.install(task)
        task.preempt_count = (
            state.preempt + HARDIRQ * state.hardirq + NMI * state.nmi + SOFTIRQ * state.softirq
        )
        cpu.irqs_off = state.irqs == "off"
        task.rcu_depth = state.rcu
        task.migration_disabled = state.migrate
        for _ in range(state.bh):
            count(kernel, "bh", 1)

    def _target(self, meta: Meta, site: int) -> str | None:
        """The way says where a call by pointer goes."""
        for number, leg in enumerate(self.way.legs[:-1]):
            if leg.fn.symbol == meta.fn.symbol and meta.sites[site].loc in leg.places:
                return self.way.legs[number + 1].fn.symbol
        last = self.way.legs[-1]
        if last.fn.symbol == meta.fn.symbol and meta.sites[site].loc in last.places:
            return last.callee
        return None

    def _call_entry(self, m: Machine, path: Path) -> None:
        fn = self.way.legs[0].fn
        m.call(fn.symbol, *self._arguments(fn, path))

    def _arguments(self, fn: Function, path: Path) -> list[Any]:
        args: list[Any] = []
        for slot in range(fn.nparams):
            var = fn.vars[slot]
            type_ = fn.types[var.type]
            name = var.name or f"argument {slot + 1}"
            match type_:
                case TInt(bits, signed):
                    value: Value = path.fresh(name, bits // 8)
                    sign = 1 << (bits - 1)
                    args.append((value ^ sign) - sign if signed else value)
                case TPtr(to):
                    pointer = path.fresh(name, 8)
                    target = fn.types[to]
                    if isinstance(target, TRecord):
                        path.points_to[id(pointer)] = target.key
                    args.append(pointer)
                case TRecord():
                    args.append(Blob(bytes(self.v.image.size_of(type_, fn.types))))
                case _:
                    args.append(0)
        return args

    def _is_goal(self, report: Report) -> bool:
        """A report counts when it comes from the operation at the way's end."""
        if report.kind not in ("sleeping", "scheduling-while-atomic", "cant-sleep"):
            return False
        last = self.way.legs[-1]
        return any(
            place.fn.symbol == last.fn.symbol and place.loc == last.call
            for place in report.frames
        )

    def _reported(self, report: Report) -> None:
        if self._is_goal(report):
            raise _ArrivedError(report)

    # endings

    def _tally(self, path: Path, outside: Unknown, follower: Follower) -> None:
        tally = self.tally
        tally.unsure = tally.unsure or path.condition.unsure
        for name in outside.met:
            if name not in tally.met:
                tally.met.append(name)
        if follower.left is not None and (
            tally.left is None or follower.left.leg > tally.left.leg
        ):
            tally.left = follower.left
            tally.taken = tuple(path.taken)

    def _confirmed(self, path: Path, outside: Unknown, report: Report) -> Verdict:
        return Verdict(
            verdict=CONFIRMED,
            why=report.headline,
            values=_values(path, frozenset(leg.fn.name for leg in self.way.legs)),
            assumed=tuple(outside.met),
            report=report,
            splat=splat_text(
                replace(report, trace=report.trace + self.start.outer), Config(rt=self.v.rt)
            ),
        )

    def _failed(self) -> Verdict:
        tally = self.tally
        if tally.unmodelled:
            return Verdict(verdict=UNMODELLED, why=tally.unmodelled[0])
        if tally.cuts or tally.unsure:
            why = tally.cuts[0] if tally.cuts else "the solver gave up"
            return Verdict(verdict=BOUNDS, why=why, assumed=tuple(tally.met))
        if tally.met:
            return Verdict(
                verdict=UNMODELLED, why=f"{tally.met[0]}()", assumed=tuple(tally.met)
            )
        return Verdict(verdict=REFUTED, why=self._guard())

    def _guard(self) -> str:
        left = self.tally.left
        if left is None:
            return "no execution reaches the operation in a context that forbids it"
        place = f"{left.loc.file}:{left.loc.line}"
        for taken in reversed(self.tally.taken):
            if taken.place == place:
                word = "holds" if taken.truth else "does not hold"
                return f"guarded by `{text(taken.value)}` at {place}, which {word}"
        return f"guarded by the test at {place} in {left.function}()"


class _Guide:
    def __init__(self, follower: Follower, m: Machine) -> None:
        self.follower = follower
        self.m = m
        self.turns: dict[tuple[str, int], bool] = {}

    def prefer(self, frame: Frame | None) -> bool:
        if frame is None:
            return True
        follower, stack = self.follower, self.m.stack
        follower.reached = max(follower.reached, follower.way.depth(stack))
        wanted = follower.prefer(frame, stack)
        if wanted is None:
            wanted = follower.prefer_exit(frame)
            # Off the way, what went one way before goes the other way now: a loop that
            # waits for the outcome of a test in a function ends.
            site = (frame.meta.fn.symbol, frame.block)
            turn = self.turns.get(site)
            if turn is not None:
                wanted = not turn
            self.turns[site] = wanted
        return wanted


class _Hardware(Alone):
    """Time stands still, but registers change: each read of one gives another value."""

    def __init__(self, kernel: Kernel, m: Machine) -> None:
        super().__init__(kernel)
        self.m = m

    def point(self, kind: str, what: object = None) -> None:
        if kind == "mmio":
            address = what.home.locate(what) if isinstance(what, Sym) else what
            assert isinstance(address, int)
            self.m.mem.lose(address, 8)


class _Watched(list[Report]):
    """Reports, each told to a function when it is added."""

    def __init__(self, told: Callable[[Report], None]) -> None:
        super().__init__()
        self.told = told

    def append(self, report: Report) -> None:
        super().append(report)
        self.told(report)


def _values(path: Path, functions: frozenset[str]) -> tuple[str, ...]:
    """What has to hold in the functions of the way: numbers of simple unknowns, else
    conditions. What other functions decided on their own account is left out."""
    model = path.condition.model()
    shown: dict[str, None] = {}
    for taken in path.taken:
        if taken.function not in functions:
            continue
        names = list(leaves(taken.value))
        if len(names) == 1 and names[0].name in model:
            leaf: Sym = names[0]
            number = model[leaf.name]
            word = str(number) if -4096 < number < 4096 else hex(number)
            shown[f"{leaf.name} = {word}"] = None
        else:
            word = "" if taken.truth else " is false"
            shown[f"{text(taken.value)}{word} ({taken.place})"] = None
    return tuple(shown)


__all__ = [
    "BOUNDS",
    "CONFIRMED",
    "REFUTED",
    "UNMODELLED",
    "Start",
    "Verdict",
    "Verifier",
]  # fmt: skip
