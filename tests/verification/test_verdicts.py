# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts on small drivers."""

from __future__ import annotations

from ctxlint.verification.execution import Bounds
from ctxlint.verification.verdicts import Verdict
from tests.verification.programs import only, verdicts

DEVICE = """
struct dev { int has; int mode; struct dev *next; spinlock_t lock; int (*op)(struct dev *); };
static struct dev *dev;
void attach(struct dev *d) { dev = d; }
"""


def test_lock_in_starting_callback_prints_the_kernels_splat() -> None:
    verdict = only(
        "static int up(unsigned int cpu) { rt_spin_lock(&lock); rt_spin_unlock(&lock);"
        " return 0; } STARTING(up)"
    )
    assert verdict.verdict == "confirmed"
    lines = verdict.splat.splitlines()
    assert lines[0] == (
        "BUG: sleeping function called from invalid context at kernel/locking/spinlock_rt.c:48"
    )
    assert lines[1] == (
        "in_atomic(): 1, irqs_disabled(): 1, non_block: 0, pid: 0, name: swapper/1"
    )
    assert lines[2] == "preempt_count: 1, expected: 0"
    frames = [line.strip().partition("+")[0] for line in lines if line.startswith(" ")]
    assert frames[:4] == ["dump_backtrace", "show_stack", "dump_stack_lvl", "dump_stack"]
    assert frames[4:9] == [
        "__might_resched", "rt_spin_lock", "up", "cpuhp_invoke_callback",
        "__cpuhp_invoke_callback_range",
    ]  # fmt: skip


def test_values_say_what_leads_there() -> None:
    verdict = only(
        DEVICE + "static int up(unsigned int cpu) { if (dev->has && dev->mode == 7)"
        " { rt_spin_lock(&lock); rt_spin_unlock(&lock); } return 0; } STARTING(up)"
    )
    assert verdict.verdict == "confirmed"
    assert "dev->mode = 7" in verdict.values


def test_contradicting_tests_are_a_guard() -> None:
    """No single test is wrong: what the first allows excludes the second."""
    verdict = only(
        DEVICE + "static int up(unsigned int cpu) { int m = dev->mode; if (m > 3) return 0;"
        " if (m * 2 > 9 && m >= 0) { rt_spin_lock(&lock); rt_spin_unlock(&lock); }"
        " return 0; } STARTING(up)"
    )
    assert verdict.verdict == "refuted"
    assert "guarded by" in verdict.why and "u.c:" in verdict.why


def test_edited_guard_changes_the_verdict() -> None:
    text = (
        DEVICE + "static int up(unsigned int cpu) { int m = dev->mode; if (m %s 3) return 0;"
        " if (m == 5) { rt_spin_lock(&lock); rt_spin_unlock(&lock); } return 0; } STARTING(up)"
    )
    assert only(text % ">").verdict == "refuted"
    assert only(text % "<").verdict == "confirmed"


def test_state_kept_in_an_object() -> None:
    """The object's own flag says that the lock was not taken."""
    text = (
        DEVICE + "static int up(unsigned int cpu) { struct dev d = { .has = %d };"
        " if (d.has) _raw_spin_lock(&raw); nobody(&d); if (!d.has) mutex_lock(&mutex);"
        " return 0; } static void work(void) { up(0); } int (*keep)(unsigned int) = up;"
    ).replace(" nobody(&d);", "")
    assert not verdicts(text % 0)  # the static path knows it, too
    assert not verdicts(text % 1)


def test_unknown_function_is_no_refutation() -> None:
    """What decides is a function that nothing is known about: it may return both."""
    verdict = only(
        "static int up(unsigned int cpu) { if (nobody_knows(1) == 3) { rt_spin_lock(&lock);"
        " rt_spin_unlock(&lock); } return 0; } STARTING(up)"
    )
    assert verdict.verdict == "confirmed"
    assert verdict.assumed == ("nobody_knows",)


def test_unreached_behind_an_unknown_function_is_unmodelled() -> None:
    verdict = only(
        DEVICE + "static int up(unsigned int cpu) { int m = dev->mode; nobody_knows(m);"
        " if (m > 3) return 0; if (m == 5) { rt_spin_lock(&lock); rt_spin_unlock(&lock); }"
        " return 0; } STARTING(up)"
    )
    assert verdict.verdict == "unmodelled"
    assert "nobody_knows" in verdict.why


def test_bounds_are_told() -> None:
    """A loop whose end no bound covers: neither confirmed nor refuted."""
    verdict = only(
        DEVICE + "static int up(unsigned int cpu) { unsigned long h = 7; int i;"
        " for (i = 0; i < dev->mode; i++) h = h * 31 + (unsigned long)dev->next + i;"
        " if (i > 40) { rt_spin_lock(&lock); rt_spin_unlock(&lock); } return 0; } STARTING(up)",
        bounds=Bounds(loops=3),
    )
    assert verdict.verdict == "not reproduced within bounds"
    assert "rounds of the loop" in verdict.why


def test_what_a_finding_may_cost_is_told() -> None:
    """Paths that are not run any more do not make it confirmed or refuted."""
    verdict = only(
        DEVICE + "static int up(unsigned int cpu) { if (dev->mode == 9)"
        " { rt_spin_lock(&lock); rt_spin_unlock(&lock); } return 0; } STARTING(up)",
        bounds=Bounds(finding=0),
    )
    assert verdict.verdict == "not reproduced within bounds"
    assert "may be tried" in verdict.why


def test_list_of_unknown_length() -> None:
    verdict = only(
        DEVICE + "static int up(unsigned int cpu) { for (struct dev *d = dev; d; d = d->next)"
        " if (d->mode == 9) { rt_spin_lock(&d->lock); rt_spin_unlock(&d->lock); }"
        " return 0; } STARTING(up)"
    )
    assert verdict.verdict == "confirmed"


def test_call_by_pointer_goes_along_the_path() -> None:
    verdict = only(
        DEVICE + "static int op(struct dev *d) { rt_spin_lock(&d->lock); return 0; }"
        "static struct dev one = { .op = op }; void reg(void) { attach(&one); }"
        "static int up(unsigned int cpu) { return dev->op(dev); } STARTING(up)"
    )
    assert verdict.verdict == "confirmed"


def test_section_that_a_function_opens_itself() -> None:
    found = verdicts(
        DEVICE + "int poke(struct dev *d) { unsigned long f = _raw_spin_lock_irqsave(&raw);"
        " if (d->mode) msleep(1); _raw_spin_unlock_irqrestore(&raw, f); return 0; }",
        rt=False,
    )
    verdict = found["poke", "msleep"]
    assert verdict.verdict == "confirmed"
    assert verdict.values == ("d->mode = 1",)


def test_same_executions_every_time() -> None:
    text = (
        DEVICE + "static int up(unsigned int cpu) { int n = 0; for (struct dev *d = dev; d;"
        " d = d->next) n += d->mode; if (n == 77) { rt_spin_lock(&lock);"
        " rt_spin_unlock(&lock); } return 0; } STARTING(up)"
    )
    first, second = only(text), only(text)
    assert first.verdict == "confirmed"
    assert (first.values, first.executions) == (second.values, second.executions)


HANDLER = """
typedef int irqreturn_t;
extern int request_threaded_irq(unsigned int irq, irqreturn_t (*handler)(int, void *),
    irqreturn_t (*thread)(int, void *), unsigned long flags, const char *name, void *data);
struct port { unsigned int fast : 1, mode : 3; struct port *peer; };
static irqreturn_t take(int irq, void *data) { struct port *port = data; %s return 0; }
int setup(struct port *port) { return request_threaded_irq(3, take, 0, 0, "t", port); }
"""


def handler(body: str) -> Verdict:
    return only(HANDLER % body, rt=False)


def test_bit_fields_have_their_names() -> None:
    assert handler("if (port->mode == 5) msleep(1);").values == ("port->mode = 5",)


def test_what_a_handler_is_given_is_named_as_it_names_it() -> None:
    assert handler("if (!port->peer) msleep(1);").values == ("port->peer = NULL",)


def test_a_pointer_that_was_followed_is_not_null() -> None:
    verdict = handler("if (port->peer->mode == 1 && port->peer) msleep(1);")
    assert "port->peer != NULL" in verdict.values


def test_nothing_is_printed_where_a_rule_alone_says_it() -> None:
    verdict = only(
        "struct device; extern int pm_runtime_barrier(struct device *dev);"
        "void op(struct device *d) { _raw_spin_lock(&raw); pm_runtime_barrier(d);"
        " _raw_spin_unlock(&raw); }",
        rt=False,
    )
    assert (verdict.verdict, verdict.splat) == ("reached", "")


def test_other_versions_have_other_lines() -> None:
    text = (
        "void op(void) { _raw_spin_lock(&raw); mutex_lock(&mutex); mutex_unlock(&mutex);"
        " _raw_spin_unlock(&raw); }"
    )
    assert "mutex.c:283" in only(text, rt=False).splat
    later = only(text, rt=False, release="7.3.4")
    assert (later.verdict, later.splat) == ("confirmed", "")
    assert "other versions" in later.why
