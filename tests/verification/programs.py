# SPDX-License-Identifier: GPL-2.0-or-later
"""From a C text to verdicts: the static path and the model on the same unit."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ctxlint.analysis import entry_points
from ctxlint.analysis.program import link as link_facts
from ctxlint.analysis.propagate import Propagation
from ctxlint.facts.build import unit_facts
from ctxlint.frontend import lower_unit
from ctxlint.pipeline.collect import with_others
from ctxlint.pipeline.verify import known_of, verdict_of
from ctxlint.simulator.image import Image
from ctxlint.simulator.runtime.library import add_models
from ctxlint.simulator.runtime.state import Config
from ctxlint.verification.execution import Bounds
from ctxlint.verification.verdicts import Verdict, Verifier
from tests.analysis.snippet import rules

PRELUDE = """
typedef struct raw_spinlock { int v; } raw_spinlock_t;
typedef struct spinlock { int v; } spinlock_t;
typedef unsigned int gfp_t;
struct mutex { int v; };
enum cpuhp_state { CPUHP_OFFLINE = 0, CPUHP_BRINGUP_CPU = 5, CPUHP_AP_IDLE_DEAD = 6,
    CPUHP_AP_T_STARTING = 10, CPUHP_AP_ONLINE = 20, CPUHP_TEARDOWN_CPU = 21,
    CPUHP_AP_ONLINE_IDLE = 22, CPUHP_AP_ONLINE_DYN = 40, CPUHP_ONLINE = 60 };
extern int __cpuhp_setup_state(enum cpuhp_state state, const char *name, _Bool invoke,
    int (*startup)(unsigned int cpu), int (*teardown)(unsigned int cpu), _Bool multi);
extern void _raw_spin_lock(raw_spinlock_t *lock);
extern void _raw_spin_unlock(raw_spinlock_t *lock);
extern unsigned long _raw_spin_lock_irqsave(raw_spinlock_t *lock);
extern void _raw_spin_unlock_irqrestore(raw_spinlock_t *lock, unsigned long flags);
extern void rt_spin_lock(spinlock_t *lock);
extern void rt_spin_unlock(spinlock_t *lock);
extern void mutex_lock(struct mutex *lock);
extern void mutex_unlock(struct mutex *lock);
extern void msleep(unsigned int ms);
extern int nobody_knows(int x);
static raw_spinlock_t raw;
static spinlock_t lock;
static struct mutex mutex;
#define STARTING(up) int setup_##up(void) { \\
    return __cpuhp_setup_state(CPUHP_AP_T_STARTING, "t", 0, up, 0, 0); }
"""


def verdicts(
    text: str, *, rt: bool = True, bounds: Bounds | None = None, release: str = "6.12"
) -> dict[tuple[str, str], Verdict]:
    """The verdict of each finding, by function and callee."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "u.c").write_text(PRELUDE + text, encoding="utf-8")
        unit = lower_unit(
            tree=folder,
            file="u.c",
            arguments=("--target=aarch64-linux-gnu", "-std=gnu11"),
            directory=folder,
        )
    assert unit.errors == ()
    facts, _ = unit_facts(unit, rules(), rt, {})
    program = link_facts([facts], [])
    run = Propagation(program, rules(), rt, entry_points.find(program, rules(), rt))
    run.run()
    everything = with_others(
        run.violations, rules(), rt, "p", lambda file, line: "", lambda file: True
    )
    image = Image()
    image.add_unit(unit)
    add_models(image, Config(rt=rt))
    verifier = Verifier(
        image, rules(), rt, known_of(program, rules()), bounds=bounds,
        config=Config(rt=rt, release=release),
    )  # fmt: skip
    out = {}
    for finding, violations in everything:
        out[finding.function, finding.callee] = verdict_of(
            violations, run.also, verifier, program, rules(), rt
        )
    return out


def only(
    text: str, *, rt: bool = True, bounds: Bounds | None = None, release: str = "6.12"
) -> Verdict:
    """The verdict of the one finding of a text."""
    (verdict,) = verdicts(text, rt=rt, bounds=bounds, release=release).values()
    return verdict
