# SPDX-License-Identifier: GPL-2.0-or-later
"""Linking: symbols as the linker resolves them, members, wrappers, any order."""

from __future__ import annotations

import random

from analysis.snippet import facts, program
from ctxlint.analysis.program import Program, link
from ctxlint.facts.summary import UnitFacts
from ctxlint.semantics.terms import Addr, Deref, Field, Func, Global, Param, Select

OPS = """
struct ops { void (*run)(void); int (*stop)(int); };
struct driver { const char *name; struct ops ops; struct ops *other; };
struct event { void (*handler)(int); };
"""


def shown(linked: Program) -> tuple[object, ...]:
    """All that may be asked of a program, for comparisons."""
    return (
        sorted(linked.functions.items()),
        sorted(linked.decls.items()),
        sorted(linked.enumerators.items()),
        sorted((k, sorted(v)) for k, v in linked.members.items()),
        sorted((k, sorted(v)) for k, v in linked.object_members.items()),
        sorted((k, sorted(v)) for k, v in linked.nested.items()),
        sorted((k, sorted(v)) for k, v in linked.variables.items()),
        linked.stores,
        linked.units,
    )


UNITS = (
    """enum e { ONE = 1, TWO };
    static void help(void) { mark(1); }
    const struct ops first_ops = { .run = help };
    void __attribute__((weak)) hook(void) { mark(0); }
    void set(struct event *e, void (*h)(int)) { e->handler = h; }""",
    """static void help(void) { mark(2); }
    struct driver second = { .ops = { .run = help } };
    void hook(void) { mark(7); }
    extern void set(struct event *e, void (*h)(int));
    static void on_event(int n) { mark(n); }
    void start(struct event *e) { set(e, on_event); }""",
    """extern void hook(void);
    void (*current)(void);
    static void late(void) { }
    void change(struct ops *o) { current = late; o->run = late; hook(); }
    void __attribute__((weak)) hook(void) { mark(3); }""",
)  # fmt: skip


def units() -> list[UnitFacts]:
    return [facts(text, file=f"u{i}.c", header=OPS) for i, text in enumerate(UNITS)]


def test_the_order_of_units_does_not_matter() -> None:
    all_ = units()
    expected = shown(link(all_, ()))
    for seed in range(6):
        random.Random(seed).shuffle(all_)
        assert shown(link(all_, ())) == expected


def test_a_strong_definition_beats_weak_ones() -> None:
    assert link(units(), ()).functions["hook"].file == "u1.c"
    assert link(units()[::2], ()).functions["hook"].file == "u0.c"


def test_static_functions_of_one_name_are_two() -> None:
    found = {s for s in link(units(), ()).functions if s.endswith("help")}
    assert found == {"u0.c::help", "u1.c::help"}


def test_members_and_the_objects_that_have_them() -> None:
    linked = link(units(), ())
    run = linked.targets(Field(Deref(Param(0)), "struct ops", "run"))
    assert run == ("u0.c::help", "u1.c::help", "u2.c::late")
    assert linked.targets(Field(Global("first_ops"), "struct ops", "run")) == ("u0.c::help",)
    assert linked.targets(Global("current")) == ("u2.c::late",)
    assert linked.targets(Field(Deref(Param(0)), "struct ops", "stop")) == ()
    assert linked.targets(None) == ()


def test_a_parameter_stored_in_a_member_is_what_callers_pass() -> None:
    linked = link(units(), ())
    handler = Field(Deref(Param(0)), "struct event", "handler")
    assert linked.targets(handler) == ("u1.c::on_event",)
    assert linked.arguments("set", 1) == ("u1.c::on_event",)


def test_wrappers_of_wrappers_pass_functions_on() -> None:
    linked = program(
        """void set(struct event *e, void (*h)(int)) { e->handler = h; }
        void outer(struct event *e, void (*g)(int)) { set(e, g); }
        void outermost(struct event *e, int n, void (*f)(int)) { if (n) outer(e, f); }
        static void a1(int n) { }
        static void a2(int n) { }
        void start(struct event *e) { outermost(e, 1, a1); outermost(e, 0, a2); }""",
        header=OPS,
    )
    assert linked.arguments("set", 1) == ("u0.c::a1", "u0.c::a2")
    handler = Field(Deref(Param(0)), "struct event", "handler")
    assert linked.targets(handler) == ("u0.c::a1", "u0.c::a2")


def test_a_wrapper_that_calls_itself_ends() -> None:
    linked = program(
        """void again(int n, void (*f)(void)) { if (n) again(n - 1, f); else f(); }
        static void last(void) { }
        void start(void) { again(3, last); }"""
    )
    assert linked.arguments("again", 1) == ("u0.c::last",)


def test_functions_in_nested_objects() -> None:
    linked = program(
        """static void go(void) { }
        struct driver drv = { .ops = { .run = go } };
        static struct ops table[2] = { { .run = go }, { 0 } };""",
        header=OPS,
    )
    go = {"u0.c::go"}
    assert linked.pointed_members(Addr(Field(Deref(Param(0)), "struct driver", "ops"))) == {
        "run": go
    }
    assert linked.pointed_members(Addr(Global("drv"))) == {"run": go}
    (stored,) = [s for s in linked.stores if s.base.endswith("table")]
    assert (stored.index, stored.path) == (0, (("struct ops", "run"),))


def test_a_choice_of_functions_is_both() -> None:
    choice = Select(Param(0), Func("one"), Func("two"))
    assert Program().targets(choice) == ("one", "two")


def test_a_function_is_followed_through_any_number_of_wrappers() -> None:
    """To a member that it is stored in, and to a call of the parameter."""
    chain = "".join(
        f"void s{n}(struct event *e, void (*h)(int)) {{ s{n - 1}(e, h); }}"
        f"void c{n}(void (*h)(int)) {{ c{n - 1}(h); }}"
        for n in range(1, 9)
    )
    linked = program(
        f"{OPS} void s0(struct event *e, void (*h)(int)) {{ e->handler = h; }}"
        "void c0(void (*h)(int)) { if (unknown()) c0(h); h(1); }"
        f"{chain} void mine(int x) {{}} void user(struct event *e) {{ s8(e, mine); c8(mine); }}"
    )
    assert [v for (_, name), v in linked.members.items() if name == "handler"] == [{"mine"}]
    assert linked.arguments("c0", 0) == ("mine",)
    assert linked.arguments("c4", 0) == ("mine",)
