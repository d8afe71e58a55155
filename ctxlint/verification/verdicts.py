# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts: run a finding's way, with everything that is not known left open.

``confirmed``: an execution made the operation in a context that does not allow it, and
what the operation does there is something that the kernel objects to.
``reached``: the same, but that the operation waits is known from a rule alone.
``refuted``: every execution was followed to its end, and none did; the guard says why.
``not reproduced within bounds``: a bound ended an execution that might have, or one did
that needs something of which nothing is known: a value that another CPU changes, a caller
in another context.
``unmodelled``: none did, but something was met that the model knows nothing about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import msgspec

from ctxlint.ir.types import TInt, TPtr, TRecord, TVoid
from ctxlint.ir.unit import Function
from ctxlint.rulebook.book import Rulebook
from ctxlint.rulebook.schema import ContextState
from ctxlint.simulator.code import Code, Meta
from ctxlint.simulator.image import MODEL_FILES, Image
from ctxlint.simulator.machine import Machine
from ctxlint.simulator.memory import PAGE, Fault, SymPage
from ctxlint.simulator.outcome import (
    Crashed,
    Cut,
    Hang,
    Infeasible,
    OutOfFuel,
    Stop,
    Unmodelled,
)
from ctxlint.simulator.runtime.context import TaskObjects
from ctxlint.simulator.runtime.library import BOOT
from ctxlint.simulator.runtime.splats import splat_text
from ctxlint.simulator.runtime.state import (
    HARDIRQ,
    MODEL_RELEASE,
    NMI,
    RUNNING,
    SOFTIRQ,
    Config,
    Kernel,
    Report,
)  # fmt: skip
from ctxlint.simulator.unknowns import Value, text
from ctxlint.verification.conditions import IDLE, taken_for, values_of
from ctxlint.verification.execution import Bounds, Decision, Path, Site, Taken
from ctxlint.verification.externals import Unknown, unknown_record
from ctxlint.verification.interference import Shared
from ctxlint.verification.rule_bodies import BY_RULE, Known, RuleInterpreter, count
from ctxlint.verification.setup import FollowedMachine, Others, PathGuide, Watched
from ctxlint.verification.target import CallPath, Follower, Left
from ctxlint.verification.variables import Variables, Writes, addresses_taken, writes_of
from ctxlint.verification.worklist import Worklist

CONFIRMED = "confirmed"
REACHED = "reached"
REFUTED = "refuted"
BOUNDS = "not reproduced within bounds"
UNMODELLED = "unmodelled"
DOUBT = {REFUTED: 0, BOUNDS: 1, UNMODELLED: 2}


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


class _ArrivedError(Stop):
    def __init__(self, report: Report) -> None:
        super().__init__(report.headline)
        self.report = report


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
        config: Config | None = None,
    ) -> None:
        self.image = image
        self.rules = rules
        self.rt = rt
        self.known = known
        self.bounds = bounds or Bounds()
        self.boot = boot
        self.writes: Writes = writes_of(image)
        image.beyond = self._known_by_rule
        self.base = Code(image)
        self.questions = 0
        self.steps = 0
        self.modelled = image.resolve(BOOT) is not None
        self.config = config or Config(rt=rt)

    def begin(self) -> None:
        """Another finding: its paths share a bound."""
        self.questions = self.steps = 0

    def spent(self) -> bool:
        """Whether the paths of this finding have used up what they may."""
        bounds = self.bounds
        return (
            self.questions >= bounds.finding * bounds.questions
            or self.steps >= bounds.finding * bounds.steps
        )

    def prints(self, report: Report) -> bool:
        """Whether the line that a check names is one of this kernel: the model's own
        functions have those of the version that they were written for."""
        file = str(report.facts.get("place", "")).rpartition(":")[0]
        return (
            not file
            or self.config.release.startswith(MODEL_RELEASE)
            or any(frame.fn.file == file and not frame.model for frame in report.frames)
        )

    def _known_by_rule(self, symbol: str) -> bool:
        """As in the analysis: a rule stands for a header function, not for one of an
        audited .c file. A weak one may not be the one that counts."""
        own = self.image.functions.get(symbol)
        if self.rules.api(symbol) is None:
            return (
                own is not None and "weak" in own.attrs and own.name not in self.image.overrides
            )
        if own is None or own.file.startswith(MODEL_FILES):
            return True
        return not own.file.endswith(".c")

    @cached_property
    def taken(self) -> frozenset[str]:
        """Functions whose address goes somewhere."""
        return addresses_taken(self.image)

    def verify(
        self, call_path: CallPath, start: Start, callers: Sequence[CallPath] = ()
    ) -> Verdict:
        """Explore until the operation is reached or nothing is left to try. ``callers``
        are ways with this one at their end, of which each execution takes one: they know
        what its first function is called with."""
        executions = 0
        refuted: Verdict | None = None
        for longer in callers:
            verdict = self._verify(longer, start)
            executions += verdict.executions
            if verdict.verdict in (CONFIRMED, REACHED):
                return replace(verdict, executions=executions)
            if verdict.verdict != REFUTED:
                break
            refuted = replace(verdict, executions=executions)
        else:
            if refuted is not None:
                return refuted
        verdict = self._verify(call_path, start)
        return replace(verdict, executions=executions + verdict.executions)

    def _verify(self, call_path: CallPath, start: Start) -> Verdict:
        executions = 0
        weakest: Verdict | None = None
        for cpu, state, is_open in self._starts(start):
            if is_open and weakest is not None and weakest.verdict != REFUTED:
                break
            begun = replace(start, state=state)
            if self.spent():
                verdict = Verdict(verdict=BOUNDS, why=_SPENT)
            else:
                exploration = _Exploration(self, call_path, begun, cpu, is_open)
                verdict = exploration.run()
                self.questions += exploration.questions
                self.steps += exploration.steps
            executions += verdict.executions
            if verdict.verdict in (CONFIRMED, REACHED):
                if not is_open:
                    return replace(verdict, executions=executions)
                verdict = Verdict(verdict=BOUNDS, why=_ELSEWHERE, values=verdict.values)
            if weakest is None or DOUBT[verdict.verdict] > DOUBT[weakest.verdict]:
                weakest = verdict
        assert weakest is not None
        return replace(weakest, executions=executions)

    def _starts(self, start: Start) -> Iterator[tuple[int, ContextState, bool]]:
        """CPU, execution context at the start, and whether nothing is known about the
        machine, the task and (where the callers are unknown) the caller's context. What
        is only reached in such a start is neither confirmed nor refuted."""
        for cpu in start.cpus:
            yield cpu, start.state, False
        cpu = start.cpus[-1]
        yield cpu, start.state, True
        if not start.context:
            for state in _CALLERS:
                yield cpu, state, True
        elif start.state.hardirq or start.state.softirq or start.state.nmi:
            for around in _INTERRUPTED:
                yield cpu, msgspec.structs.replace(start.state, **around), True


_CPUS = 1 << 13  # as many as any configuration allows (arch/x86/Kconfig)
_ELSEWHERE = (
    "only on another CPU, in another task or with a caller that runs in another context"
)
_SPENT = "other paths to it have used up what may be tried"
_CALLERS = (
    ContextState(irqs="off"),
    ContextState(preempt=1),
    ContextState(bh=1),
    ContextState(rcu=1),
    ContextState(softirq=True),
    ContextState(hardirq=True, irqs="off"),
    ContextState(nmi=True, hardirq=True, irqs="off", preempt=1, rcu=1),
)
"""In which contexts a function can be called whose callers are not known."""
_INTERRUPTED: tuple[dict[str, Any], ...] = (
    {"preempt": 1},
    {"bh": 1},
    {"rcu": 1},
    {"softirq": True, "bh": 1},
    {"irqs": "off"},
)
"""What an interrupt can come into."""


@dataclass
class _Tally:
    """What ended the executions that did not arrive."""

    cuts: list[str] = field(default_factory=list)
    unmodelled: list[str] = field(default_factory=list)
    met: list[str] = field(default_factory=list)
    left: Left | None = None
    taken: tuple[Taken, ...] = ()
    unsure: bool = False
    changed: str = ""
    """What others have to change for an execution that did arrive."""


class _Exploration:
    def __init__(
        self, verifier: Verifier, call_path: CallPath, start: Start, cpu: int, is_open: bool
    ) -> None:
        self.v = verifier
        self.cpu = cpu
        self.open = is_open
        self.call_path = call_path
        self.start = start
        self.code = Code(verifier.image, base=verifier.base, traced=call_path.symbols)
        self.agenda = Worklist()
        self.tally = _Tally()
        self.executions = 0
        self.questions = 0
        self.steps = 0

    def run(self) -> Verdict:
        bounds = self.v.bounds
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
                return replace(verdict, executions=self.executions)
        return replace(self._failed(), executions=self.executions)

    def _execute(self, prefix: tuple[Decision, ...]) -> Verdict | None:
        follower = Follower(self.call_path)
        path = Path(prefix, self.v.bounds, partial(self._fork, follower))
        m, outside = self._machine(path, follower)
        try:
            self._call_entry(m, path)
        except _ArrivedError as arrived:
            if not path.condition.impossible():
                changed = path.condition.without(path.dependent.values())
                if changed is None:
                    return self._arrived(path, outside, arrived.report)
                self.tally.changed = self.tally.changed or changed.name
        except Infeasible:
            pass
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
        except Hang as hang:
            # Others may well do what is waited for.
            self.tally.unmodelled.append(f"waits for {hang}")
        except Crashed:
            pass
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
        return ""

    def _fork(
        self, follower: Follower, decisions: tuple[Decision, ...], site: Site, taken: bool
    ) -> None:
        self.agenda.add(
            decisions, site, taken, left=follower.left is not None, reached=follower.reached
        )

    def _machine(self, path: Path, follower: Follower) -> tuple[FollowedMachine, Unknown]:
        v = self.v
        variables = Variables(path, v.writes, self.start.values, is_open=self.open)
        shared = Shared(path, variables)
        outside = Unknown(
            path,
            RuleInterpreter(path, v.rules, v.known, self.start.context),
            variables,
            shared,
            v.rt,
            self._target,
            self._is_goal,
        )
        m = FollowedMachine(self.code, outside, fuel=v.bounds.fuel)
        m.follower = follower
        m.shared = shared
        path.attach(m)
        path.made = shared.named
        shared.attach(m)
        path.late = self._late
        path.guide = PathGuide(follower, m)
        kernel = v.boot(m, v.config)
        kernel.sched = Others(kernel, shared, path)
        if v.modelled:
            variables.boot(m)
        kernel.system_state = self._system_state()
        self._enter(kernel, path)
        task = kernel.part(TaskObjects).address(kernel.task)
        page = m.mem.pages.get(task // PAGE)
        if isinstance(page, SymPage) and page.known is not None:
            # Others change neither who the task is nor where it runs.
            variables.lasting[task // PAGE] = bytes(page.known)
        kernel.reports = Watched(self._reported)
        return m, outside

    def _system_state(self) -> int:
        """Of the numbers that the context allows, the one in which most is printed."""
        numbers = self.start.values.get("system_state", (RUNNING,))
        return RUNNING if RUNNING in numbers else numbers[0]

    def _enter(self, kernel: Kernel, path: Path) -> None:
        state = self.start.state
        cpu = kernel.cpu = kernel.cpus[self.cpu]
        if self.start.task == "idle":
            task = cpu.idle
        else:
            task = kernel.new_task(self.start.task.format(cpu=cpu.number), cpu.number)
            if self.open and self.start.task == Start.task:
                # Whatever was interrupted, or calls.
                kernel.shown_cpu = self._any_cpu(kernel, path)
                task.comm = ""
                task.pid = path.fresh("the task's pid", 4, high=(1 << 22) - 1)  # type: ignore[assignment]
                task.idle = path.fresh(IDLE, 1, high=1)  # type: ignore[assignment]
        cpu.current = task
        kernel.install(task)
        task.preempt_count = (
            state.preempt + HARDIRQ * state.hardirq + NMI * state.nmi + SOFTIRQ * state.softirq
        )
        if self.open and state.preempt:
            # It nests as deep as callers like.
            task.preempt_count += path.fresh("preempt_count()", 1, high=100)  # type: ignore[assignment]
        cpu.irqs_off = state.irqs == "off"
        task.rcu_depth = state.rcu
        task.migration_disabled = state.migrate
        for _ in range(state.bh):
            count(kernel, "bh", 1)

    @staticmethod
    def _any_cpu(kernel: Kernel, path: Path) -> Callable[[], Value]:
        """A CPU that is none of those with which the execution was tried before; another
        one each time while the task can migrate."""
        here = path.fresh("smp_processor_id()", 4, low=2, high=_CPUS - 1)

        def number() -> Value:
            task = kernel.task
            if task.preempt_count or kernel.cpu.irqs_off or task.migration_disabled:
                return here
            return path.fresh("raw_smp_processor_id()", 4, high=_CPUS - 1)

        return number

    def _target(self, m: Machine, meta: Meta, site: int) -> tuple[str, bool] | None:
        """Where the way says that a call by pointer goes, if the stack is on it; and
        whether the call can come again, so that another function may be called first."""
        loc = meta.sites[site].loc
        path_steps = self.call_path.steps
        for number, step in enumerate(path_steps):
            if step.fn.symbol != meta.fn.symbol or loc not in step.places:
                continue
            if not self.call_path.leads(m.stack, number):
                continue
            symbol = (
                path_steps[number + 1].fn.symbol
                if number + 1 < len(path_steps)
                else step.callee
            )
            return symbol, any(before.again for before in path_steps[: number + 1])
        return None

    def _call_entry(self, m: Machine, path: Path) -> None:
        fn = self.call_path.steps[0].fn
        m.call(fn.symbol, *self._arguments(m, fn, path))

    def _arguments(self, m: Machine, fn: Function, path: Path) -> list[Any]:
        args: list[Any] = []
        for slot in range(fn.nparams):
            var = fn.vars[slot]
            type_ = fn.types[var.type]
            name = var.name or f"argument {slot + 1}"
            match type_:
                case TInt(bits, signed) if bits <= 64:
                    value: Value = path.fresh(name, bits // 8)
                    sign = 1 << (bits - 1)
                    args.append((value ^ sign) - sign if signed else value)
                case TPtr(to):
                    target = fn.types[to]
                    if isinstance(target, TVoid):
                        # `struct port *port = data`: what the function takes it for.
                        name, target = taken_for(fn, slot) or (name, target)
                    pointer = path.fresh(name, 8)
                    path.pointers.add(id(pointer))
                    if isinstance(target, TRecord):
                        path.points_to[id(pointer)] = target.key
                    args.append(pointer)
                case TRecord():
                    args.append(unknown_record(m, path, name, type_.key))
                case _:
                    raise Unmodelled(f"{fn.name}()", f"the type of its parameter {name}")
        return args

    def _is_goal(self, report: Report) -> bool:
        """A report counts when it comes from the operation at the way's end."""
        if report.kind not in ("sleeping", "scheduling-while-atomic", "cant-sleep"):
            return False
        last = self.call_path.steps[-1]
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
        open_cases = [f"{name}(), of which a case is open," for name in outside.ruled.undecided]
        for name in (*(f"{name}()" for name in outside.met), *open_cases):
            if name not in tally.met:
                tally.met.append(name)
        if follower.left is not None and (
            tally.left is None or follower.left.step > tally.left.step
        ):
            tally.left = follower.left
            tally.taken = tuple(path.taken)

    def _arrived(self, path: Path, outside: Unknown, report: Report) -> Verdict:
        by_rule = report.suppressed == BY_RULE
        splat, why = "", report.headline
        if report.printed and self.v.prints(report):
            splat = splat_text(
                replace(report, trace=report.trace + self.start.outer), self.v.config
            )
        elif report.printed:
            why = "sleeps; what its check prints is known of other versions only"
        elif not by_rule:
            why = f"sleeps, and the kernel prints nothing: {report.suppressed}"
        return Verdict(
            verdict=REACHED if by_rule else CONFIRMED,
            why=why,
            values=values_of(path, frozenset(step.fn.name for step in self.call_path.steps)),
            assumed=tuple(outside.met),
            report=report,
            splat=splat,
        )

    def _failed(self) -> Verdict:
        tally = self.tally
        met = tuple(name.removesuffix("()") for name in tally.met)
        if tally.unmodelled:
            return Verdict(verdict=UNMODELLED, why=tally.unmodelled[0])
        if tally.cuts or tally.unsure:
            why = tally.cuts[0] if tally.cuts else "the solver gave up"
            return Verdict(verdict=BOUNDS, why=why, assumed=met)
        if tally.changed:
            # By another CPU, an interrupt, a device, or through another pointer.
            why = f"only if `{tally.changed}` changes meanwhile"
            return Verdict(verdict=BOUNDS, why=why, assumed=met)
        if tally.met:
            return Verdict(verdict=UNMODELLED, why=tally.met[0], assumed=met)
        return Verdict(verdict=REFUTED, why=self._guard())

    def _guard(self) -> str:
        left = self.tally.left
        if left is None:
            return "no execution reaches the operation in a context that forbids it"
        place = f"{left.loc.file}:{left.loc.line}"
        for taken in reversed(self.tally.taken):
            if taken.place == place:
                word = "is true" if taken.truth else "is false"
                return f"guarded by `{text(taken.value)}` at {place}, which {word}"
        return f"guarded by the test at {place} in {left.function}()"


__all__ = [
    "BOUNDS",
    "CONFIRMED",
    "DOUBT",
    "REACHED",
    "REFUTED",
    "UNMODELLED",
    "Start",
    "Verdict",
    "Verifier",
]  # fmt: skip
