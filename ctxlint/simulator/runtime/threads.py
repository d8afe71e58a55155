# SPDX-License-Identifier: GPL-2.0-or-later
"""Primitives for tasks and CPUs: making them, waiting, waking, the CPU masks.

Constants of the kernel (``enum`` members) are looked up in the image, so that a model
function names them and the numbers are those of the tree.
"""

from __future__ import annotations

from typing import Any

from ctxlint.simulator.image import find_member
from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.outcome import Halted
from ctxlint.simulator.runtime.context import TaskObjects
from ctxlint.simulator.runtime.printk import formatted
from ctxlint.simulator.runtime.scheduler import Simulation, simulation_of
from ctxlint.simulator.runtime.state import Kernel, kernel_of
from ctxlint.simulator.runtime.tasks import NORMAL, STOPPER, Thread, thread_of
from ctxlint.simulator.runtime.waits import Wait, Waits

_KTHREAD, _PER_CPU, _STOPPER, _FIRST = range(4)
_THREAD = "model_entry_thread"
_FIRST_TASK = "model_entry_first"


class Literals:
    """Texts of C literals by their addresses, and the enum members they name."""

    def __init__(self, kernel: Kernel) -> None:
        self.m = kernel.m
        self._texts: dict[int, str] = {}
        self._values: dict[int, int] = {}

    def text(self, address: int) -> str:
        found = self._texts.get(address)
        if found is None:
            found = self._texts[address] = self.m.mem.text(address)
        return found

    def value(self, address: int, usual: int) -> int:
        found = self._values.get(address)
        if found is None:
            found = self.m.image.enums.get(self.text(address), usual)
            self._values[address] = found
        return found


def _sim(m: Machine) -> Simulation:
    return simulation_of(kernel_of(m))


def literal(m: Machine, address: int) -> str:
    """The text of a literal that a model function passes."""
    return kernel_of(m).part(Literals).text(address)


@primitive
def model_enumerator(m: Machine, name: int, usual: int) -> int:
    """``int model_enumerator(const char *name, int usual)``: the value that a member of an
    enum has in the kernel at hand; ``usual`` if nothing in the image uses the enum."""
    return kernel_of(m).part(Literals).value(name, int(usual))


# masks


@primitive
def model_mask_set(m: Machine, mask: int, cpu: int, on: int) -> None:
    """``void model_mask_set(const char *mask, int cpu, int on)``: a bit of a variable."""
    set_mask(m, literal(m, mask), int(cpu), bool(on))


def set_mask(m: Machine, name: str, cpu: int, on: bool) -> None:
    """Set or clear a CPU's bit in a cpumask variable of the kernel."""
    place = m.address_of(name) + cpu // 8
    bits = int(m.load(place, 1)) & ~(1 << cpu % 8)
    m.store(place, 1, bits | (int(on) << cpu % 8))


@primitive
def model_mask_has(m: Machine, mask: Any, cpu: int) -> int:
    """``int model_mask_has(const void *mask, int cpu)``; no mask has them all."""
    if not mask:
        return 1
    return int(m.load(mask + int(cpu) // 8, 1)) >> int(cpu) % 8 & 1


@primitive
def model_online(m: Machine, cpu: int) -> int:
    """``int model_online(int cpu)``."""
    cpus = kernel_of(m).cpus
    return int(0 <= int(cpu) < len(cpus) and cpus[int(cpu)].online)


@primitive
def model_set_online(m: Machine, cpu: int, on: int) -> None:
    """``void model_set_online(int cpu, int on)``: the runtime's flag; the kernel's
    variables are those of model functions."""
    kernel = kernel_of(m)
    number, cpus = int(cpu), kernel.cpus
    cpus[number].online = bool(on)
    sim = simulation_of(kernel)
    sim.note(f"CPU{number} is {'online' if on else 'offline'}")


@primitive
def model_leave_cpu(m: Machine, cpu: int) -> None:
    """``void model_leave_cpu(int cpu)``: tasks that may run elsewhere leave that CPU."""
    sim = _sim(m)
    number, cpus = int(cpu), sim.kernel.cpus
    target = next((c.number for c in cpus if c.online), number)
    for thread in sim.threads:
        task = thread.task
        stays = task.pinned and not thread.moves
        if task.cpu == number and not stays and task is not sim.kernel.task:
            sim.move(thread, target)


@primitive
def model_migrate_to(m: Machine, cpu: int) -> None:
    """``void model_migrate_to(int cpu)``: the running task goes on there."""
    _sim(m).migrate(int(cpu))


@primitive
def model_oops(m: Machine, on: int) -> None:
    """``void model_oops(int on)``: oops_in_progress."""
    kernel_of(m).oops_in_progress = int(on)


@primitive
def model_call_if(m: Machine, function: int) -> int:
    """``int model_call_if(const char *function)``: call a function without arguments of
    the kernel if the image has it; what it returned, else 0."""
    name = literal(m, function)
    if m.image.resolve(name) is None:
        return 0
    return int(m.call(name) or 0)


@primitive
def model_call_member(m: Machine, variable: int, record: int, member: int, arg: Any) -> int:
    """``int model_call_member(const char *variable, const char *record, const char
    *member, long arg)``: call the function that a member of a variable points to, if the
    image has all of them; whether it was called."""
    symbol = m.image.function_at(_member(m, variable, record, member))
    if symbol is None:
        return 0
    m.call(symbol, arg)
    return 1


def _member(m: Machine, variable: int, record: int, member: int) -> int:
    """The pointer that a member of a variable holds; 0 if the image lacks one of them."""
    image = m.image
    layout = image.records.get(literal(m, record))
    name = literal(m, variable)
    found = None if layout is None else find_member(image, layout, literal(m, member))
    if found is None or name not in image.variables:
        return 0
    return int(m.l8(m.address_of(name) + found[0] // 8))


@primitive
def model_member_of(m: Machine, variable: int, record: int, member: int) -> int:
    """``void *model_member_of(const char *variable, const char *record, const char
    *member)``: the pointer in a member of a variable; NULL if the image lacks them."""
    return _member(m, variable, record, member)


@primitive
def model_num_online(m: Machine) -> int:
    """``int model_num_online(void)``."""
    return sum(cpu.online for cpu in kernel_of(m).cpus)


@primitive
def model_set_state(m: Machine, state: int) -> None:
    """``void model_set_state(int system_state)``: enum system_states."""
    sim = _sim(m)
    sim.kernel.system_state = int(state)
    sim.note(f"system state {int(state)}")


# tasks


def call_body(m: Machine, entry: str, fn: int, arg: Any) -> Any:
    """What a new task runs: a model function that calls ``fn(arg)``."""
    return lambda: m.call(entry, fn, arg)


@primitive
def model_spawn(m: Machine, comm: int, cpu: int, fn: int, arg: Any, kind: int) -> int:
    """``void *model_spawn(const char *comm, int cpu, void *fn, void *arg, int kind)``: a
    task that runs ``fn(arg)``; its record. ``%u`` in the name is the CPU."""
    name = literal(m, comm).replace("%u", str(int(cpu)))
    thread = spawn(m, name, int(cpu), fn, arg, int(kind))
    return kernel_of(m).part(TaskObjects).address(thread.task)


def spawn(m: Machine, comm: str, cpu: int, fn: int, arg: Any, kind: int = _KTHREAD) -> Thread:
    """See :func:`model_spawn`."""
    first = kind == _FIRST
    return _sim(m).spawn(
        comm,
        cpu,
        call_body(m, _FIRST_TASK if first else _THREAD, fn, arg),
        daemon=not first,
        rank=STOPPER if kind == _STOPPER else NORMAL,
        pinned=kind in (_PER_CPU, _STOPPER),
        pid=1 if first else None,
    )


@primitive
def model_exit(m: Machine) -> None:
    """``_Noreturn void model_exit(void)``: the task ends here."""
    sim = _sim(m)
    sim.exit()


@primitive
def model_cpu_stops(m: Machine) -> None:
    """``_Noreturn void model_cpu_stops(void)``: the CPU is off until it is started."""
    raise Halted(f"CPU{kernel_of(m).cpu.number} is off")


@primitive
def model_idle(m: Machine) -> None:
    """``void model_idle(void)``: the idle task waits for an interrupt."""
    _sim(m).idle()


# waiting and waking


@primitive
def model_await_readers(m: Machine) -> None:
    """``void model_await_readers(void)``: say that the next call of the scheduler waits
    for the readers of RCU that there are now."""
    kernel = kernel_of(m)
    readers = [task for task in kernel.tasks if task.rcu_depth and task is not kernel.task]
    names = ", ".join(f"{task.comm}/{task.pid}" for task in readers)

    def over() -> bool:
        readers[:] = [task for task in readers if task.rcu_depth]
        return not readers

    wait(kernel, over, f"a grace period ({names or 'nobody'} reads)")


@primitive
def model_rest(m: Machine, word: int) -> None:
    """``void model_rest(const int *word)``: a thread of the kernel without work waits
    until the word is other than 0 (and the next one, which parks it, is 0)."""
    load = m.mem.l4
    sim = _sim(m)
    sim.rest(lambda: bool(load(word)) and not load(word + 4))
    sim.observe(word)


@primitive
def model_kick(m: Machine, word: int, value: int) -> None:
    """``void model_kick(int *word, int value)``: store what others wait for."""
    sim = _sim(m)
    sim.publish(word)
    m.s4(word, value)
    sim.point("kick")


@primitive
def model_observe(m: Machine, word: int) -> None:
    """``void model_observe(const int *word)``: the caller has seen what was stored."""
    _sim(m).observe(word)


@primitive
def model_count(m: Machine, word: int, by: int) -> int:
    """``int model_count(int *word, int by)``: add, in a single step; the new value."""
    sim = _sim(m)
    sim.observe(word)
    value = int(m.mem.l4(word)) + int(by)
    m.s4(word, value)
    sim.publish(word)
    sim.point("count")
    return value


@primitive
def model_wait_done(m: Machine, word: int, why: int) -> None:
    """``void model_wait_done(const int *word, const char *why)``: say that the next call
    of the scheduler waits until the word is other than 0."""
    kernel = kernel_of(m)
    load = m.mem.l4
    wait(kernel, lambda: bool(load(word)), literal(m, why))


def wait(kernel: Kernel, ready: Any, why: str, timeout: int | None = None) -> None:
    """Announce what the running task waits for when it enters the scheduler."""
    kernel.part(Waits).announce(kernel.task, Wait(ready, why, timeout))


@primitive
def model_spin_word(m: Machine, word: int, value: int, why: int) -> None:
    """``void model_spin_word(const int *word, int value, const char *why)``: busily wait
    until the word has the value."""
    load = m.mem.l4
    sim = _sim(m)
    expected = int(value) & 0xFFFF_FFFF
    sim.spin(lambda: load(word) == expected, literal(m, why))
    sim.observe(word)


@primitive
def model_log(m: Machine, text: int, a: int, b: int, c: int) -> None:
    """``void model_log(const char *text, long a, long b, long c)``: a line of the log,
    with the numbers that it asks for."""
    kernel_of(m).log.append(formatted(m, literal(m, text), [a, b, c]))


__all__ = ["Literals", "call_body", "literal", "set_mask", "spawn", "thread_of", "wait"]
