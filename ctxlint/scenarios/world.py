# SPDX-License-Identifier: GPL-2.0-or-later
"""The world of a scenario: one machine, the kernels that run on it one after the other.

Verbs are functions ``(world, argument)``, registered by name with :func:`verb`; the
argument is what the scenario's step gives. A :class:`Platform` (:func:`platform`) is the
hardware: it prepares each kernel before that boots and says what is to be known at
the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ctxlint.base.errors import UsageError
from ctxlint.scenarios.schema import Setup, Variant
from ctxlint.simulator.code import Code
from ctxlint.simulator.image import find_member
from ctxlint.simulator.machine import Machine
from ctxlint.simulator.memory import PAGE
from ctxlint.simulator.outcome import Hang
from ctxlint.simulator.runtime import library
from ctxlint.simulator.runtime.alloc import Faults
from ctxlint.simulator.runtime.assembly import AssemblyByRule
from ctxlint.simulator.runtime.boot import Boot, NextKernel, boot, succeed, user
from ctxlint.simulator.runtime.choice import Choices
from ctxlint.simulator.runtime.policy import Policy, Seeded
from ctxlint.simulator.runtime.scheduler import Simulation
from ctxlint.simulator.runtime.state import Config, Kernel, Report
from ctxlint.simulator.trace import Trace

FUEL = 20_000_000


@dataclass(eq=False)
class Generation:
    """A kernel of the machine. ``how`` it came: ``"power"``, ``"kexec"``, ``"crash"``;
    ``cpus`` are the machine's CPUs by their numbers in this kernel; ``image`` is where
    its own code lies (first address, bytes)."""

    number: int
    how: str
    cpus: tuple[int, ...]
    image: tuple[int, int] = (0, 0)
    options: dict[str, Any] = field(default_factory=dict)
    kernel: Kernel = field(init=False)

    @property
    def sim(self) -> Simulation:
        sched = self.kernel.sched
        assert isinstance(sched, Simulation)
        return sched


class Platform:
    """The hardware of a scenario; derive."""

    def __init__(self, world: World) -> None:
        self.world = world

    def first_image(self) -> tuple[int, int]:
        """Where the first kernel is loaded."""
        return 0, 0

    def memory(self, generation: Generation) -> None:
        """What of the machine's memory a kernel may use, before it knows any."""

    def prepare(self, generation: Generation) -> None:
        """A kernel is about to boot: devices, variables, hooks of its steps."""

    def booted(self, generation: Generation) -> None:
        """It has."""

    def finish(self) -> None:
        """All steps are done: what is wrong by now is reported."""

    def facts(self) -> dict[str, Any]:
        """What can be expected of the end, by name."""
        return {}

    def text(self) -> list[str]:
        """The hardware, for people."""
        return []


_PLATFORMS: dict[str, type[Platform]] = {}
_VERBS: dict[str, Callable[[World, Any], Any]] = {}


def platform(name: str) -> Callable[[type[Platform]], type[Platform]]:
    """Register a platform."""

    def register(kind: type[Platform]) -> type[Platform]:
        if name in _PLATFORMS:
            raise TypeError(f"two platforms are called {name}")
        _PLATFORMS[name] = kind
        return kind

    return register


def verb(function: Callable[[World, Any], Any]) -> Callable[[World, Any], Any]:
    """Register a step: ``raise_lpi`` is ``raise-lpi`` in a scenario."""
    name = function.__name__.rstrip("_").replace("_", "-")
    if name in _VERBS:
        raise TypeError(f"two verbs are called {name}")
    _VERBS[name] = function
    return function


def verbs() -> dict[str, Callable[[World, Any], Any]]:
    """All verbs by name."""
    return dict(_VERBS)


class World:
    """See the module. ``returns`` are what verbs gave, by the text of the step."""

    def __init__(
        self,
        code: Code,
        setup: Setup,
        variant: Variant,
        *,
        seed: int = 0,
        forced: dict[str, bool] | None = None,
        code_of: Callable[[Setup], Code] | None = None,
    ) -> None:
        self.code = code
        self.code_of = code_of or (lambda _: code)
        """Makes the program of a kernel that is configured otherwise."""
        self.setup = setup
        self.variant = variant
        self.seed = seed
        self.forced = dict(forced or {})
        self.generations: list[Generation] = []
        self.returns: dict[str, Any] = {}
        self.done: list[str] = []
        """The steps that were begun, as text."""
        self.policy: Callable[[], Policy] = lambda: Seeded(seed) if seed else Policy()
        """Makes the policy of each kernel."""
        self.explored: Policy | None = None
        """The policy of steps whose interleavings are gone through."""
        self.trace = Trace()
        self.faults: dict[str, set[int]] = {}
        self.hooks: list[tuple[str, Callable[[], object]]] = []
        """Boot steps of the next kernel that something happens in."""
        kind = _PLATFORMS.get(variant.platform)
        if kind is None:
            raise UsageError(f"no platform is called {variant.platform!r}")
        self.platform = kind(self)

    # kernels

    @property
    def now(self) -> Generation:
        """The kernel that runs."""
        if not self.generations:
            raise UsageError("a step needs a kernel that runs", hint="begin with boot")
        return self.generations[-1]

    @property
    def kernel(self) -> Kernel:
        return self.now.kernel

    @property
    def sim(self) -> Simulation:
        return self.now.sim

    @property
    def m(self) -> Machine:
        return self.kernel.m

    def start(
        self,
        how: str,
        cpus: tuple[int, ...] | None = None,
        image: tuple[int, int] | None = None,
        **options: Any,
    ) -> Generation:
        """Boot the next kernel up to user space."""
        setup = self.setup
        if "page_size" in options:
            setup = msgspec.structs.replace(setup, page_size=int(options["page_size"]))
            self.code = self.code_of(setup)
        number = len(self.generations) + 1
        which = cpus or tuple(range(int(options.get("nr_cpus", setup.cpus))))
        place = image if image is not None else self.platform.first_image()
        new = Generation(number, how, which, place, options)
        self.generations.append(new)
        config = Config(
            rt=setup.rt, arch=setup.arch, cpus=len(which), page_size=setup.page_size,
            hz=setup.hz, debug_atomic_sleep=setup.debug_atomic_sleep,
            rate_limit=setup.rate_limit,
        )  # fmt: skip
        m = Machine(self.code, AssemblyByRule(), fuel=FUEL)
        new.kernel = kernel = Kernel(m, config)
        if number > 1:
            succeed(self.generations[-2].kernel, kernel)
        self.platform.memory(new)
        m.call(library.BOOT)
        kernel.part(Choices).forced = self.forced
        kernel.part(Faults).plan = {key: set(calls) for key, calls in self.faults.items()}
        limit = int(options.get("maxcpus", setup.maxcpus))
        if limit:
            m.s4(m.address_of("setup_max_cpus"), limit)
        self.platform.prepare(new)
        for step, hook in self.hooks:
            kernel.part(Boot).at(step, hook)
        self.hooks.clear()
        boot(kernel, policy=self.policy(), trace=self.trace)
        self.platform.booted(new)
        return new

    def close(self) -> None:
        """End all coroutines."""
        for generation in self.generations:
            sched = getattr(getattr(generation, "kernel", None), "sched", None)
            if isinstance(sched, Simulation):
                sched.close()

    # for verbs

    def call(self, symbol: str, *args: Any, cpu: int = 0) -> Any:
        """Run a function of the image in a task of user space."""
        return self.sim.run(user(self.sim, symbol, *args, cpu=cpu))

    def ends(self, symbol: str, *args: Any, cpu: int = 0) -> str:
        """Run a function that ends the kernel; how it ended."""
        try:
            self.call(symbol, *args, cpu=cpu)
        except NextKernel as stop:
            self.sim.close()
            return stop.how
        if self.kernel.cpu.number in self.sim.halted:
            raise Hang(f"CPU{self.kernel.cpu.number}, which ran {symbol}(), is off itself")
        raise UsageError(f"{symbol}() came back")

    def entry(self, what: str) -> str | None:
        """The symbol of the variant's function for something; None when it has none."""
        name = self.variant.entries.get(what)
        return None if name is None else self.symbol(name)

    def symbol(self, name: str) -> str:
        """The symbol of a function that may be static; raises UsageError."""
        image = self.code.image
        if image.resolve(name) is not None:
            return name
        found = sorted(s for s in image.functions if s.rpartition("::")[2] == name)
        if not found:
            raise UsageError(f"the driver has no function {name}()")
        return found[0]

    def has(self, name: str) -> bool:
        """Whether the image has a function of that plain name."""
        image = self.code.image
        return image.resolve(name) is not None or any(
            s.rpartition("::")[2] == name for s in image.functions
        )

    def variable(self, name: str) -> str:
        """The symbol of a variable that may be static; raises UsageError."""
        variables = self.code.image.variables
        if name in variables:
            return name
        found = sorted(s for s in variables if s.rpartition("::")[2] == name)
        if not found:
            raise UsageError(f"the driver has no variable {name}")
        return found[0]

    def name_of(self, address: int) -> str:
        """What lies at an address, for people."""
        placed = self.code.image.placed_at(address // PAGE)
        if placed is not None:
            return placed.symbol.rpartition("::")[2]
        found = self.m.mem.object_at(address)
        return f"{address:#x}" if found is None else found.name

    def member(self, what: str) -> int | None:
        """The address of a member that the variant names; None when it names none."""
        given = self.variant.members.get(what)
        if given is None:
            return None
        variable, record, name = given
        image = self.code.image
        layout = image.records.get(record)
        found = None if layout is None else find_member(image, layout, name)
        if found is None:
            raise UsageError(f"{record} has no member {name}")
        m = self.m
        return int(m.l8(m.address_of(self.variable(variable)))) + found[0] // 8

    # what was observed

    def reports(self) -> list[tuple[int, Report]]:
        """All reports with the number of their kernel."""
        return [
            (g.number, report)
            for g in self.generations
            if hasattr(g, "kernel")
            for report in g.kernel.reports
        ]

    def log(self) -> list[tuple[int, str]]:
        """All lines of the logs with the number of their kernel."""
        return [
            (g.number, line)
            for g in self.generations
            if hasattr(g, "kernel")
            for text in g.kernel.log
            for line in text.splitlines()
        ]


__all__ = ["Generation", "Platform", "World", "platform", "verb", "verbs"]
