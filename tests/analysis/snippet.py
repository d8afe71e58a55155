# SPDX-License-Identifier: GPL-2.0-or-later
"""Small C texts, lowered and summarised with the real rules."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from ctxlint.analysis.program import Program, link
from ctxlint.facts.build import unit_facts
from ctxlint.facts.summary import Edge, Summary, UnitFacts
from ctxlint.frontend import lower_unit
from ctxlint.rulebook import load
from ctxlint.rulebook.book import Rulebook
from ctxlint.semantics.context import Delta

PRELUDE = """
typedef struct raw_spinlock { int v; } raw_spinlock_t;
typedef struct spinlock { int v; } spinlock_t;
struct mutex { int v; };
extern void _raw_spin_lock(raw_spinlock_t *lock);
extern void _raw_spin_unlock(raw_spinlock_t *lock);
extern int _raw_spin_trylock(raw_spinlock_t *lock);
extern unsigned long _raw_spin_lock_irqsave(raw_spinlock_t *lock);
extern void _raw_spin_unlock_irqrestore(raw_spinlock_t *lock, unsigned long flags);
extern void mutex_lock(struct mutex *lock);
extern void mutex_unlock(struct mutex *lock);
static raw_spinlock_t a, b;
static struct mutex m;
extern int unknown(void);
extern void mark(int);
"""
"""Every text begins with it; ``mark()`` is a call to look at."""


@cache
def rules() -> Rulebook:
    return load(())


def facts(text: str, *, rt: bool = False, file: str = "u.c", header: str = "") -> UnitFacts:
    """The facts of a text. What ``header`` declares is one thing in all units."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "h.h").write_text(header, encoding="utf-8")
        (folder / file).write_text(f'#include "h.h"{PRELUDE}{text}', encoding="utf-8")
        unit = lower_unit(
            tree=folder,
            file=file,
            arguments=("--target=aarch64-linux-gnu", "-std=gnu11"),
            directory=folder,
        )
    assert unit.errors == ()
    found, _ = unit_facts(unit, rules(), rt, {})
    return found


def program(*texts: str, rt: bool = False, header: str = "") -> Program:
    """The texts linked, as units ``u0.c``, ``u1.c`` and so on."""
    units = [facts(t, rt=rt, file=f"u{i}.c", header=header) for i, t in enumerate(texts)]
    return link(units, ())


def summary(text: str, name: str, *, rt: bool = False) -> Summary:
    return next(s for s in facts(text, rt=rt).summaries if s.name == name)


def edges(fn: Summary, shown: str = "mark") -> list[Edge]:
    """The calls of ``shown``, in the order of the text."""
    found = [e for e in fn.edges if e.shown == shown]
    return sorted(found, key=lambda e: (fn.locs[e.loc].line, fn.locs[e.loc].col))


def held(delta: Delta) -> tuple[int, int, tuple[str, ...]]:
    """Interrupts, preemption, and the locks by name."""
    return delta.irqs, delta.counts.preempt, tuple(lock.path for lock in delta.locks)


def at_marks(text: str, name: str = "f", *, rt: bool = False) -> list[set[tuple[object, ...]]]:
    """For each ``mark()`` of a function, the ways in which it is reached."""
    fn = summary(text, name, rt=rt)
    return [{held(p.delta) for p in edge.points} for edge in edges(fn)]
