# SPDX-License-Identifier: GPL-2.0-or-later
"""Entry points: registrations through wrappers, members, timers and what starts them."""

from __future__ import annotations

from analysis.snippet import program, rules
from ctxlint.analysis.entry_points import find

HEADER = """
enum cpuhp_state {
    CPUHP_OFFLINE, CPUHP_BP_PREPARE_DYN, CPUHP_BRINGUP_CPU, CPUHP_AP_IDLE_DEAD,
    CPUHP_AP_MY_STARTING, CPUHP_AP_ONLINE, CPUHP_AP_ONLINE_DYN,
};
extern int __cpuhp_setup_state(enum cpuhp_state state, const char *name, _Bool invoke,
                               int (*startup)(unsigned), int (*teardown)(unsigned),
                               _Bool multi);
struct irq_data { int irq; };
struct irq_chip { const char *name; void (*irq_mask)(struct irq_data *d);
                  void (*irq_bus_lock)(struct irq_data *d); };
typedef int (*irq_handler_t)(int, void *);
extern int request_irq(unsigned irq, irq_handler_t handler, unsigned long flags,
                       const char *name, void *dev);
enum hrtimer_mode { HRTIMER_MODE_ABS, HRTIMER_MODE_REL, HRTIMER_MODE_SOFT = 4,
                    HRTIMER_MODE_HARD = 8 };
struct hrtimer { int (*function)(struct hrtimer *t); };
extern void hrtimer_init(struct hrtimer *timer, int which_clock, enum hrtimer_mode mode);
struct device { struct hrtimer one, two; };
"""


def entries(*texts: str, rt: bool = False) -> set[tuple[str, str, str]]:
    """(function, context, state) of each entry point."""
    found = find(program(*texts, rt=rt, header=HEADER), rules(), rt)
    return {(e.symbol.rpartition("::")[2], e.context, e.state) for e in found}


STARTING = ("up", "cpuhp-starting", "CPUHP_AP_MY_STARTING")
SETUP = "__cpuhp_setup_state(CPUHP_AP_MY_STARTING, 0, 0, up, 0, 0);"
UP = "static int up(unsigned cpu) { return 0; }\n"


def test_a_registration() -> None:
    assert entries(UP + f"void start(void) {{ {SETUP} }}") == {STARTING}


def test_through_wrappers_in_another_unit() -> None:
    wrapper = """int setup(enum cpuhp_state s, int (*f)(unsigned))
    { return __cpuhp_setup_state(s, 0, 0, f, 0, 0); }
    int setup_one(int (*f)(unsigned)) { return setup(CPUHP_AP_MY_STARTING, f); }"""
    user = UP + "int setup_one(int (*f)(unsigned));\nvoid start(void) { setup_one(up); }"
    assert entries(wrapper, user) == {STARTING}
    assert entries(user, wrapper) == {STARTING}


def test_one_wrapper_for_two_states() -> None:
    text = (
        UP
        + """static int late(unsigned cpu) { return 0; }
    static void setup(enum cpuhp_state s, int (*f)(unsigned))
    { __cpuhp_setup_state(s, 0, 0, f, 0, 0); }
    void start(void) { setup(CPUHP_AP_MY_STARTING, up); setup(CPUHP_AP_ONLINE_DYN, late); }"""
    )
    assert entries(text) == {
        STARTING,
        ("late", "cpuhp-online", "CPUHP_AP_ONLINE_DYN"),
    }


def test_a_wrapper_that_calls_itself_ends() -> None:
    text = (
        UP
        + """static void setup(int n, int (*f)(unsigned))
    {
        if (n) setup(n - 1, f);
        __cpuhp_setup_state(CPUHP_AP_MY_STARTING, 0, 0, f, 0, 0);
    }
    void start(void) { setup(3, up); }"""
    )
    assert entries(text) == {STARTING}


def test_members_of_a_static_object_and_assigned_ones() -> None:
    text = """static void mask(struct irq_data *d) { }
    static void lock(struct irq_data *d) { }
    struct irq_chip chip = { .irq_mask = mask };
    void change(struct irq_chip *c) { c->irq_bus_lock = lock; }"""
    assert entries(text) == {("mask", "irq-desc", ""), ("lock", "irq-setup", "")}


def test_interrupt_flags_decide() -> None:
    text = """static int plain(int irq, void *dev) { return 1; }
    static int hard(int irq, void *dev) { return 1; }
    enum { IRQF_NO_THREAD = 0x10000 };
    void start(void)
    {
        request_irq(1, plain, 0, "plain", 0);
        request_irq(2, hard, 0x10000, "hard", 0);
    }"""
    assert entries(text) == {("plain", "hardirq", ""), ("hard", "hardirq", "")}
    assert entries(text, rt=True) == {
        ("plain", "irq-thread-forced", ""),
        ("hard", "hardirq", ""),
    }


TIMERS = """static int one(struct hrtimer *t) { return 0; }
static int two(struct hrtimer *t) { return 0; }
"""


def test_a_timer_has_the_mode_of_its_own_start() -> None:
    text = (
        TIMERS
        + """void probe(struct device *d)
    {
        hrtimer_init(&d->one, 1, HRTIMER_MODE_HARD);
        hrtimer_init(&d->two, 1, HRTIMER_MODE_SOFT);
        d->one.function = one;
        d->two.function = two;
    }"""
    )
    expected = {("one", "hrtimer-hard", ""), ("two", "hrtimer-soft", "")}
    assert entries(text) == expected
    assert entries(text, rt=True) == expected


def test_a_timer_of_another_file_is_no_answer() -> None:
    here = TIMERS + "void probe(struct device *d) { d->one.function = one; }"
    there = "void other(struct device *d) { hrtimer_init(&d->one, 1, HRTIMER_MODE_SOFT); }"
    (entry,) = entries(here, there)
    assert entry[0] == "one"
    assert entry[1] in ("hrtimer-hard", "hrtimer-soft")


def test_the_same_whatever_the_order() -> None:
    first = UP + f"void start(void) {{ {SETUP} }}"
    second = TIMERS + "void probe(struct hrtimer *t) { t->function = one; }"
    third = (
        "static void mask(struct irq_data *d) { }\nstruct irq_chip chip = { .irq_mask = mask };"
    )
    assert entries(first, second, third) == entries(third, second, first)
