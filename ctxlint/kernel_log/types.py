# SPDX-License-Identifier: GPL-2.0-or-later
"""One record for each kind of splat.

Every field has a default, so that a record is made from what is known::

    Sleeping(
        file="kernel/locking/spinlock_rt.c", line=48, in_atomic=1, irqs_disabled=1,
        pid=0, name="swapper/1", preempt_count=1, cpu=1,
        frames=(Frame("rt_spin_lock", 0x38, 0x154), Frame("frob_starting_cpu", 0x20, 0x44)),
    )

and :func:`ctxlint.kernel_log.format.render` prints it as Linux 6.12 does. Older
kernels print fewer fields: a field that is None (or empty) is not printed. Text that
the kernel itself prints without structure (registers, lock scenarios) is kept as lines.
"""

from __future__ import annotations

import msgspec

Layout = tuple[tuple[str, int], ...]
"""Order of lines where it is not the usual one: print the next ``n`` lines of a
section; of a section with ``!`` before its name, leave them out; ``note``: of ``notes``."""


class Frame(msgspec.Struct, frozen=True):
    """A line of the call trace, innermost first. ``size`` None: the bare address or
    symbol was printed. ``reliable`` False: printed with ``?``. ``stack`` is the x86
    stack that it is on (``"TASK"``, ``"IRQ"``; ``""``: the kernel did not say).
    ``tail`` is what follows (``"(P)"`` of newer arm64 kernels), ``before`` the addresses
    that stand before it. ``place`` is where the source is, of a decoded trace, and
    ``inline`` that the function has no frame of its own. ``short``: an offset was
    printed without a size. ``outer`` is the caller that arm prints on the same line."""

    symbol: str
    offset: int = 0
    size: int | None = None
    module: str = ""
    reliable: bool = True
    stack: str = "TASK"
    tail: str = ""
    before: str = ""
    place: str = ""
    inline: bool = False
    short: bool = False
    outer: Frame | None = None


class Place(msgspec.Struct, frozen=True):
    """``[<address>] where``: an address in hex digits, and its symbol with offset."""

    address: str
    where: str


class HeldLock(msgspec.Struct, frozen=True):
    """A lock as lockdep prints it: ``usage`` are its usage characters, ``outer`` and
    ``inner`` the wait types (1 free, 2 spin, 3 config, 4 sleep; kernels that do not
    tell config from spin count 2 spin, 3 sleep), None before 5.7."""

    address: str
    name: str
    usage: str = "+.+."
    outer: int | None = 2
    inner: int | None = 2
    where: str = ""


class HeldLocks(msgspec.Struct, frozen=True):
    """The locks that a task holds. ``off``: lockdep was turned off and cannot say.
    ``cpu`` and ``when``: 7.x says that the task is ``"on"`` a CPU, or which was its
    ``"last"``."""

    name: str = ""
    pid: int = 0
    locks: tuple[HeldLock, ...] = ()
    off: bool = False
    cpu: int | None = None
    when: str = "on"


class IrqEvent(msgspec.Struct, frozen=True):
    stamp: int
    place: Place


class IrqEvents(msgspec.Struct, frozen=True):
    """When interrupts and softirqs went on and off for the last time."""

    stamp: int
    hard_on: IrqEvent
    hard_off: IrqEvent
    soft_on: IrqEvent
    soft_off: IrqEvent


class Splat(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What all kinds share. The CPU line is printed when ``cpu`` is not None.

    ``uid`` is None for kernels that do not print it. ``taint`` are the letters as they
    are printed, with their padding (``""``: not tainted); ``taints`` spells them out.
    ``build`` is all that follows the release. ``work`` and ``stopper`` are what a
    worker or a stopper thread was running. ``registers`` are whole lines. ``arch`` is
    ``"arm64"`` or ``"x86"`` and decides how the trace is printed, ``indent`` what
    stands before each frame. ``interrupted`` are registers below the trace's title: those
    of what an exception interrupted. ``notes`` are lines that belong to no field.
    """

    cpu: int | None = None
    pid: int = 0
    name: str = ""
    uid: int | None = 0
    kdump: bool = False
    taint: str = ""
    release: str = "6.12"
    build: str = "#1"
    taints: str = ""
    hardware: str = ""
    work: str = ""
    stopper: str = ""
    held: HeldLocks | None = None
    irqs: IrqEvents | None = None
    disabled_at: Place | None = None
    modules: str | None = None
    registers: tuple[str, ...] = ()
    code: str = ""
    arch: str = "arm64"
    indent: str = " "
    frames: tuple[Frame, ...] = ()
    interrupted: tuple[str, ...] = ()
    end: str = ""
    notes: tuple[str, ...] = ()
    layout: Layout = ()


class Sleeping(Splat, tag="sleeping", frozen=True, kw_only=True):
    """A function that may sleep, called where it must not. ``in_atomic`` and
    ``irqs_disabled`` are the integers that the kernel printed (an old arm64 kernel
    prints 128 for interrupts off); None: the line was not there."""

    file: str
    line: int
    in_atomic: int | None = 0
    irqs_disabled: int | None = 0
    non_block: int | None = 0
    preempt_count: int | None = 0
    expected: int = 0
    rcu_depth: int | None = 0
    rcu_expected: int = 0


class Scheduling(Splat, tag="scheduling", frozen=True, kw_only=True):
    """The scheduler was entered with a preempt count."""

    preempt_count: int


class NonBlocking(Splat, tag="non-blocking", frozen=True, kw_only=True):
    """The scheduler was entered inside a section that was marked as not blocking."""

    depth: int = 1


class IdleScheduling(Splat, tag="idle-scheduling", frozen=True, kw_only=True):
    """The idle task gave up its CPU."""


class Assuming(Splat, tag="assuming", frozen=True, kw_only=True):
    """Code that counts on a context which it was not called in. ``what`` is
    ``"atomic"`` or ``"non migratable"``."""

    what: str
    file: str
    line: int
    in_atomic: int | None = 0
    irqs_disabled: int | None = 0
    migration_disabled: int | None = None


class Preemptible(Splat, tag="preemptible", frozen=True, kw_only=True):
    """``operation`` on per-CPU data while the task can move to another CPU.
    ``preempt_count`` None: somebody cut it out."""

    operation: str
    preempt_count: int | None = 0
    caller: str = ""


class Warn(Splat, tag="warning", frozen=True, kw_only=True):
    """WARN(): ``message`` are the lines of its text, ``where`` the symbol with offset.
    ``file`` is ``""`` on kernels without verbose BUG(); ``cut``: the scissors line is
    there. ``named``: the headline names the task, as it does from 6.19 on; ``bare``: it
    names neither task nor CPU (before 3.12, and longer where a trap makes the warning)."""

    file: str = ""
    line: int = 0
    where: str = ""
    message: tuple[str, ...] = ()
    cut: bool = True
    named: bool = False
    bare: bool = False


class Bug(Splat, tag="bug", frozen=True, kw_only=True):
    """BUG(): ``error`` is the line of the exception that it makes; ``address`` is all that
    kernels without verbose BUG() print of the place."""

    file: str = ""
    line: int = 0
    address: str = ""
    cut: bool = True
    message: tuple[str, ...] = ()
    error: str = ""


class Oops(Splat, tag="oops", frozen=True, kw_only=True):
    """An exception in the kernel. ``fault`` says what happened (``""``: only the error
    line was printed), ``info`` are the lines that explain it."""

    fault: str = ""
    info: tuple[str, ...] = ()
    error: str = ""


class Panic(Splat, tag="panic", frozen=True, kw_only=True):
    """The kernel stops."""

    reason: str


class Lockdep(Splat, tag="lockdep", frozen=True, kw_only=True):
    """A report of lockdep without a record of its own: ``title`` and the lines between
    it and the stack backtrace. ``ident`` is the line with the kernel's version."""

    title: str
    ident: str = "6.12 #1 Not tainted"
    lead: bool = True
    body: tuple[str, ...] = ()
    gap: bool = True
    backtrace: bool = True


class WaitContext(Splat, tag="wait-context", frozen=True, kw_only=True):
    """lockdep: a lock that waits more than the context allows. ``context`` are the wait
    types that the context has."""

    ident: str = "6.12 #1 Not tainted"
    lead: bool = True
    lock: HeldLock | None = None
    context: tuple[int, int] | None = (2, 2)
    backtrace: bool = True


class LockState(Splat, tag="lock-state", frozen=True, kw_only=True):
    """lockdep: a lock used in two ways that exclude each other. ``before`` and ``now``
    are the usages, ``state`` the counts that lockdep prints, ``registered`` the lines
    on the older usage, ``scenario`` how it deadlocks."""

    ident: str = "6.12 #1 Not tainted"
    lead: bool = True
    before: str = ""
    now: str = ""
    state: str = ""
    lock: HeldLock | None = None
    registered: tuple[str, ...] = ()
    scenario: tuple[str, ...] = ()
    gap: bool = True
    backtrace: bool = True


class WorkqueueLeak(Splat, tag="workqueue-leak", frozen=True, kw_only=True):
    """A work function returned with a preempt count, locks or RCU read side sections that
    it was not called with. ``what`` is what the kernel looks for; kernels up to 6.8 print
    neither the counts of locks nor of RCU (None)."""

    what: str = "atomic, lock or RCU"
    preempt_count: int = 0
    locks: tuple[int, int] | None = None
    rcu: tuple[int, int] | None = None
    function: str = ""


class SpinlockBug(Splat, tag="spinlock", frozen=True, kw_only=True):
    """CONFIG_DEBUG_SPINLOCK found a lock in a state that it cannot have. ``lock_type`` is
    ``"spinlock"`` or ``"rwlock"``, ``what`` the kernel's words (``"bad magic"``)."""

    lock_type: str = "spinlock"
    what: str = ""
    lock: str = ""
    magic: str = ""
    owner: str = ""
    owner_pid: int = -1
    owner_cpu: int = -1
    address: str = ""


class Stall(Splat, tag="stall", frozen=True, kw_only=True):
    """A CPU, a task, RCU or a workqueue that does not get on, or an interrupt that nobody
    takes. ``topic`` names the detector, ``text`` is the kernel's line, ``info`` are the
    lines that explain it; ``others`` those of the traces of other CPUs and tasks."""

    topic: str
    text: str
    info: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


class Sanitizer(Splat, tag="sanitizer", frozen=True, kw_only=True):
    """A report of KASAN, KCSAN, KMSAN, KFENCE or UBSAN (``tool``): known, and left aside."""

    tool: str
    text: str
    info: tuple[str, ...] = ()


class HotplugFailure(Splat, tag="hotplug-failure", frozen=True, kw_only=True):
    """A hotplug callback failed where it may not: ``number`` is the state's number
    (going down, that of the next lower state), ``error`` a negative errno."""

    on: int
    direction: str
    state: str
    number: int
    error: int


class CpuFailure(Splat, tag="cpu-failure", frozen=True, kw_only=True):
    """A CPU did not come or go: ``what`` is the kernel's line, ``error`` its errno."""

    on: int
    what: str
    error: int | None = None


class Notice(Splat, tag="notice", frozen=True, kw_only=True):
    """A line that a reader should see: firmware that complains, softirqs left over."""

    topic: str
    text: str


Record = (
    Sleeping | Scheduling | NonBlocking | IdleScheduling | Assuming | Preemptible | Warn
    | Bug | Oops | Panic | Lockdep | WaitContext | LockState | WorkqueueLeak | SpinlockBug
    | Stall | Sanitizer | HotplugFailure | CpuFailure | Notice
)  # fmt: skip


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """A splat in its log: ``line`` is the number of its first line (from 1), ``time``
    the seconds that were printed before it (``""``: none), ``caller`` the task or CPU
    that printed it (``"T57"``, ``"C3"``). ``lines`` are its lines without prefixes."""

    splat: Record
    line: int
    time: str = ""
    caller: str = ""
    lines: tuple[str, ...] = ()


class Unread(msgspec.Struct, frozen=True):
    """A line that begins like a splat and could not be read as one."""

    line: int
    text: str


class Log(msgspec.Struct, frozen=True):
    """A log, read: its splats, and the lines that are in none, untouched. ``unread``
    are those of the rest that look as if they were part of a splat."""

    splats: tuple[Located, ...]
    rest: tuple[str, ...]
    unread: tuple[Unread, ...] = ()
