# SPDX-License-Identifier: GPL-2.0-or-later
"""Random splats, as a kernel could print them."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from ctxlint.kernel_log import fields
from ctxlint.kernel_log import types as t

number = st.integers(0, 1 << 16)
comm = st.from_regex(r"[a-z][a-z_:-]{0,8}(/[0-9])?", fullmatch=True)
# Kernels of Android print the CPU in front of each line, as c0, c1 and so on.
symbol = st.from_regex(
    r"(?!c[0-9]+$)[a-z_][a-z0-9_]{0,12}(\.(isra|constprop)\.[0-9])?", fullmatch=True
)
address = st.from_regex(r"[0-9a-f]{16}", fullmatch=True)
file = st.from_regex(r"(\./)?(kernel|drivers/[a-z]{1,6})/[a-z_-]{1,9}\.[ch]", fullmatch=True)
words = st.from_regex(r"[a-z]{2,6}( [a-z]{2,6}){0,3}", fullmatch=True)
where = st.builds("{}+{:#x}/{:#x}".format, symbol, number, number)
place = st.builds(t.Place, address, where | st.just("0x0"))
ident = st.just("6.12.1 #2 Not tainted")
lock = st.builds(
    t.HeldLock,
    address,
    st.sampled_from(("sa_mutex", "&of->mutex", "(softirq_ctrl.lock)", "lock_key#5", "a)(b")),
    st.sampled_from(("+.+.", "....", "-.-.", "{.+.+"[1:])),
    st.integers(0, 5),
    st.integers(0, 5),
    where,
)
locks = st.lists(lock | st.just(t.HeldLock("", "")), max_size=3).map(tuple)
off = st.just(t.HeldLocks(off=True))
held = st.none() | off | st.builds(
    t.HeldLocks, comm, number, locks, cpu=st.none() | number, when=st.just("on")
)  # fmt: skip
event = st.builds(t.IrqEvent, number, place)
events = st.builds(t.IrqEvents, number, event, event, event, event)
registers = {
    "arm64": (
        "pstate: 01000005 (nzcv daif -PAN -UAO -TCO +DIT -SSBS BTYPE=--)",
        "pc : frob+0x8/0x10",
        "x2 : 0000000000000002 x1 : 0000000000000001 x0 : 00000000ffffffed",
    ),
    "x86": ("RIP: 0010:frob+0x8/0x10", "Code: 90 0f 0b", "RSP: 0018:ffff EFLAGS: 00010046"),
}


def frames(arch: str, least: int = 0) -> st.SearchStrategy[tuple[t.Frame, ...]]:
    plain = st.builds(
        t.Frame,
        symbol,
        number,
        number,
        st.sampled_from(("", "frob", "frob 0123456789abcdef")),
        st.booleans() if arch == "x86" else st.just(True),
        st.sampled_from(("TASK", "IRQ", "#DF", "")) if arch == "x86" else st.just("TASK"),
        st.sampled_from(("", "(P)")),
    )
    bare = address.map(lambda digits: t.Frame(f"0x{digits}"))
    before = address.map("[<{}>] ".format)
    old = st.builds(t.Frame, symbol, number, number, before=before)
    decoded = st.builds(
        t.Frame, symbol, number, number, place=st.sampled_from(("a/b.c:12", "(a.c:1 b.h:20)"))
    )
    inlined = st.builds(t.Frame, symbol, place=st.just("a/b.c:3"), inline=st.just(True))
    caller = st.builds(t.Frame, symbol, number, number)
    arm = st.builds(t.Frame, symbol, outer=caller)
    arm_old = st.builds(
        t.Frame, symbol, before=address.map("[<{}>] (".format),
        outer=st.builds(t.Frame, symbol, number, number, before=address.map("[<{}>] (".format)),
    )  # fmt: skip
    forms = plain | bare | old | decoded | inlined | arm | arm_old
    return st.lists(forms, min_size=least, max_size=6).map(tuple)


@st.composite
def stack(draw: st.DrawFn, with_registers: bool = False) -> dict[str, Any]:
    """The fields that all splats with a task share."""
    arch = draw(st.sampled_from(("arm64", "x86")))
    taint = draw(st.sampled_from(("", "W", "PW")))
    return {
        "cpu": draw(number),
        "pid": draw(number),
        "name": draw(comm),
        "uid": draw(st.none() | number),
        "kdump": draw(st.booleans()),
        "taint": fields.taint_letters(taint) if taint else "",
        "taints": draw(st.sampled_from(("", "[W]=WARN"))) if taint else "",
        "release": draw(
            st.sampled_from(("6.12.117", "5.15.23-ampere-lts", "6.1.0-13-rt-amd64"))
        ),
        "build": draw(st.sampled_from(("", "#1", "#1  Debian 6.1.55-1"))),
        "hardware": draw(st.sampled_from(("", "linux,dummy-virt (DT)"))),
        "work": draw(st.sampled_from(("", "events frob_work"))),
        "stopper": draw(st.sampled_from(("", "multi_cpu_stop+0x0/0x1 <- frob+0x2/0x3"))),
        "arch": arch,
        "frames": draw(frames(arch, 1)),
        "registers": registers[arch] if with_registers and draw(st.booleans()) else (),
    }


def own_locks(splat: Any) -> Any:
    """The same splat: the locks that are held are those of its task."""
    if splat.held is None or splat.held.off:
        return splat
    theirs = msgspec.structs.replace(splat.held, name=splat.name, pid=splat.pid)
    return msgspec.structs.replace(splat, held=theirs)


def made(kind: Any, shared: st.SearchStrategy[dict[str, Any]], **more: Any) -> Any:
    own = st.fixed_dictionaries(more)
    return st.tuples(shared, own).map(lambda both: own_locks(kind(**both[0], **both[1])))


@st.composite
def sleeping(draw: st.DrawFn) -> t.Sleeping:
    counted, nested = draw(st.booleans()), draw(st.booleans())
    return own_locks(t.Sleeping(
        **draw(stack()),
        file=draw(file),
        line=draw(number),
        in_atomic=draw(number),
        irqs_disabled=draw(st.sampled_from((0, 1, 128))),
        non_block=draw(st.none() | number),
        preempt_count=draw(number) if counted else None,
        expected=draw(number) if counted else 0,
        rcu_depth=draw(st.integers(-1, 9)) if nested else None,
        rcu_expected=draw(number) if nested else 0,
        held=draw(held),
        irqs=draw(st.none() | events),
        disabled_at=draw(st.none() | place),
    ))  # fmt: skip


modules = st.sampled_from((None, "", " frob(O) [last unloaded: nobody]"))
some_words = st.lists(words, max_size=2).map(tuple)
gone = st.sampled_from(("", "0000000000000000", "f68728a0d3053b70"))
record: st.SearchStrategy[t.Record] = st.one_of(
    sleeping(),
    made(
        t.Scheduling, stack(), preempt_count=number, held=held, modules=modules,
        irqs=st.none() | events, disabled_at=st.none() | place,
    ),
    made(t.NonBlocking, stack(), depth=number),
    made(t.IdleScheduling, stack()),
    made(
        t.Assuming, stack(), what=st.sampled_from(("atomic", "non migratable")), file=file,
        line=number, in_atomic=number, irqs_disabled=number,
        migration_disabled=st.none() | number, held=held,
    ),
    made(t.Preemptible, stack(), operation=symbol, preempt_count=number, caller=where),
    made(
        t.Warn, stack(with_registers=True), file=file, line=number, where=where,
        message=some_words, modules=modules, irqs=st.none() | events, end=gone,
    ),
    made(
        t.Warn, stack(), file=file, line=number, where=where, named=st.just(True),
        modules=modules, end=gone,
    ),
    made(
        t.Warn, stack(), file=file, line=number, where=where | st.just(""),
        bare=st.just(True), modules=modules, end=gone,
    ),
    made(t.Bug, stack(), address=address, modules=modules, end=gone),
    made(t.Preemptible, stack(), operation=symbol, preempt_count=st.none()),
    made(
        t.WorkqueueLeak, stack(), preempt_count=number, held=held, function=symbol,
        locks=st.tuples(number, number), rcu=st.tuples(number, number),
    ),
    made(
        t.SpinlockBug, stack(), what=words, lock=where, magic=st.just("dead4ead"), owner=comm,
        owner_pid=number, owner_cpu=number,
    ),
    made(
        t.Bug, stack(with_registers=True), file=file, line=number, modules=modules,
        error=st.sampled_from(("", "Internal error: Oops - BUG: 00000000f2000800 [#1] SMP")),
        code=st.sampled_from(("", "a94153f3 (d4210000)")), end=gone,
    ),
    made(
        t.Oops, stack(with_registers=True), modules=modules, info=some_words, end=gone,
        fault=st.just("Unable to handle kernel read at virtual address 0000000000000010"),
        error=st.just("Internal error: Oops: 0000000096000006 [#1] PREEMPT SMP"),
    ),
    made(t.Panic, stack(), reason=words),
    made(
        t.WaitContext, stack(), ident=ident, lead=st.booleans(), lock=lock, held=held,
        context=st.tuples(st.integers(0, 9), st.integers(0, 9)),
    ),
    made(
        t.LockState, stack(), ident=ident, lead=st.booleans(), before=words, now=words,
        state=st.just("HC1[1]:SC0[0]:HE0:SE1"), lock=lock, registered=some_words,
        irqs=events, scenario=some_words, held=held, gap=st.booleans(),
    ),
    made(
        t.Lockdep, stack(), ident=ident, lead=st.booleans(), body=some_words, held=held,
        title=st.just("WARNING: suspicious RCU usage"), gap=st.booleans(),
    ),
    st.builds(
        t.HotplugFailure, on=number, direction=st.sampled_from(("UP", "DOWN")),
        state=st.sampled_from(("irqchip/arm/gicv3:starting", "a (b)")), number=number,
        error=st.integers(-133, -1),
    ),
)  # fmt: skip
