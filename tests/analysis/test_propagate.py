# SPDX-License-Identifier: GPL-2.0-or-later
"""Contexts over a whole program: recursion, arguments, pointers, any order of units."""

from __future__ import annotations

import random
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.snippet import facts, program, rules
from ctxlint.analysis.entry_points import find
from ctxlint.analysis.program import Program, link
from ctxlint.analysis.propagate import Propagation
from ctxlint.facts.summary import UnitFacts

HEADER = """
struct ops { void (*run)(int); };
extern void msleep(unsigned int ms);
"""


def run(linked: Program, rt: bool = False) -> Propagation:
    result = Propagation(linked, rules(), rt, find(linked, rules(), rt))
    result.run()
    return result


def violations(result: Propagation) -> list[tuple[str, int, str, str]]:
    """Where, what, and the functions of the way there."""
    out = []
    for v in result.violations:
        way = [v.node.fn.name]
        node = v.node
        while node.parent is not None:
            node = node.parent
            way.append(node.fn.name)
        line = v.node.fn.locs[v.edge.loc].line
        out.append((v.node.fn.name, line, v.need.rule.symbol, " ".join(way[::-1])))
    return out


def told(*texts: str, rt: bool = False) -> set[tuple[str, str]]:
    """(function, way) of each violation."""
    found = violations(run(program(*texts, rt=rt, header=HEADER), rt))
    return {(function, way) for function, _, _, way in found}


def test_down_the_calls() -> None:
    text = """static void low(void) { msleep(1); }
    static void middle(void) { low(); }
    void top(void) { _raw_spin_lock(&a); middle(); _raw_spin_unlock(&a); middle(); }"""
    assert told(text) == {("low", "top middle low")}


def test_recursion_ends() -> None:
    text = """static void odd(int n);
    static void even(int n) { if (n) odd(n - 1); else msleep(1); }
    static void odd(int n) { if (n) even(n - 1); }
    static void self(int n) { if (n) self(n - 1); even(n); }
    void top(int n) { _raw_spin_lock(&a); self(n); _raw_spin_unlock(&a); }"""
    assert ("even", "top self even") in told(text)


def test_recursion_that_locks_deeper_each_time_ends() -> None:
    text = """void deeper(int n)
    {
        _raw_spin_lock(&a);
        if (n) deeper(n - 1);
        _raw_spin_unlock(&a);
        msleep(1);
    }"""
    assert {function for function, _ in told(text)} == {"deeper"}


def test_constant_arguments_decide() -> None:
    text = """static void may(int sleep) { if (sleep) msleep(1); }
    static void pass(int x, int y) { may(y); }
    void right(void) { _raw_spin_lock(&a); pass(1, 0); _raw_spin_unlock(&a); }
    void wrong(void) { _raw_spin_lock(&a); pass(0, 1); _raw_spin_unlock(&a); }"""
    assert told(text) == {("may", "wrong pass may")}


def test_a_function_that_is_compared_with_another() -> None:
    """Neither is null, which does not make them equal."""
    text = """static void quiet(void) { }
    static void loud(void) { }
    static void call(void (*fn)(void)) { if (fn == quiet) return; msleep(1); }
    void right(void) { _raw_spin_lock(&a); call(quiet); _raw_spin_unlock(&a); }
    void wrong(void) { _raw_spin_lock(&a); call(loud); _raw_spin_unlock(&a); }"""
    assert told(text) == {("call", "wrong call")}


def test_a_pointer_given_is_the_one_called() -> None:
    text = """static void quiet(void) { }
    static void sleeper(void) { msleep(1); }
    static void call(void (*fn)(void)) { fn(); }
    void right(void) { _raw_spin_lock(&a); call(quiet); _raw_spin_unlock(&a); }
    void wrong(void) { _raw_spin_lock(&a); call(sleeper); _raw_spin_unlock(&a); }"""
    assert told(text) == {("sleeper", "wrong call sleeper")}


def test_members_across_units() -> None:
    user = (
        """void use(struct ops *o) { _raw_spin_lock(&a); o->run(1); _raw_spin_unlock(&a); }"""
    )
    owner = """static void go(int n) { if (n) msleep(1); }
    const struct ops ops = { .run = go };"""
    assert told(user, owner) == {("go", "use go")}


UNITS = (
    """void shared(int n) { if (n) msleep(1); }
    static void first(void) { shared(1); }
    struct ops one = { .run = shared };
    void top_a(void) { _raw_spin_lock(&a); first(); _raw_spin_unlock(&a); }""",
    """extern void shared(int n);
    void top_b(struct ops *o) { _raw_spin_lock(&b); o->run(1); shared(0); unknown();
    _raw_spin_unlock(&b); }""",
    """extern void shared(int n);
    static void other(int n) { mutex_lock(&m); mutex_unlock(&m); }
    struct ops two = { .run = other };
    void top_c(int n) { _raw_spin_lock(&a); shared(n); top_c(n - 1); _raw_spin_unlock(&a); }""",
)


def outcome(units: list[UnitFacts]) -> object:
    result = run(link(units, ()))
    unknown = [(n, u.count, u.reason, u.example) for n, u in sorted(result.unknown.items())]
    nodes = {symbol: [n.context for n in found] for symbol, found in result.nodes.items()}
    return violations(result), unknown, sorted(nodes.items(), key=repr)


def test_the_order_of_units_does_not_matter() -> None:
    units = [facts(t, file=f"u{i}.c", header=HEADER) for i, t in enumerate(UNITS)]
    expected = outcome(units)
    assert expected[0]  # type: ignore[index]
    for order in permutations(units):
        assert outcome(list(order)) == expected


def test_the_order_of_functions_in_a_unit_does_not_matter() -> None:
    functions = [
        "void f0(int n) { if (n) f1(n); else msleep(1); }",
        "void f1(int n) { _raw_spin_lock(&a); f2(n); _raw_spin_unlock(&a); }",
        "void f2(int n) { if (n > 3) f0(n - 1); f3(); }",
        "void f3(void) { mutex_lock(&m); f0(0); mutex_unlock(&m); }",
    ]
    declared = "".join(f"void f{i}(int n);\n" for i in range(3)) + "void f3(void);\n"
    seen = set()
    for seed in range(6):
        random.Random(seed).shuffle(functions)
        found = violations(run(program(declared + "\n".join(functions), header=HEADER)))
        seen.add(tuple(sorted((f, callee, way) for f, _, callee, way in found)))
    assert len(seen) == 1
    assert seen.pop()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans()), min_size=1, max_size=14
    )
)
def test_what_is_reached_under_a_lock_is_told(calls: list[tuple[int, int, bool]]) -> None:
    """Random call graphs: ``f5`` sleeps, and is told when a chain of calls leads to it
    from a call under a lock."""
    bodies: dict[int, list[str]] = {n: [] for n in range(6)}
    for caller, callee, locked in calls:
        call = f"f{callee}();"
        if locked:
            call = f"_raw_spin_lock(&a); {call} _raw_spin_unlock(&a);"
        bodies[caller].append(f"if (unknown()) {{ {call} }}")
    bodies[5].append("msleep(1);")
    declared = "".join(f"void f{n}(void);\n" for n in bodies)
    text = "".join(f"void f{n}(void) {{ {' '.join(b)} }}\n" for n, b in bodies.items())
    reached = {callee for _, callee, locked in calls if locked}
    while more := {callee for caller, callee, _ in calls if caller in reached} - reached:
        reached |= more
    found = violations(run(program(declared + text, header=HEADER)))
    assert bool(found) == (5 in reached)


REQUEST = "struct request { int id; int flags; };\nint submit(struct request *r);\n"
SUBMIT = """
static int send(struct request *r)
{
    if (r->flags & 4)
        return 0;
    mutex_lock(&m);
    return 0;
}

int submit(struct request *r)
{
    if (!(r->flags & 2) && unknown())
        return -1;
    return send(r);
}
"""


def test_what_is_in_a_structure_on_the_stack_is_known_in_other_files() -> None:
    def caller(name: str, flags: str) -> str:
        return (
            f"static int pass_{name}(struct request *r) {{ return submit(r); }}\n"
            f"void {name}(int any) {{ struct request r = {{ .id = 1, .flags = {flags} }};\n"
            f"_raw_spin_lock(&a); pass_{name}(&r); _raw_spin_unlock(&a); }}\n"
        )

    def sleeps(text: str) -> bool:
        linked = program(SUBMIT, text, header=REQUEST)
        return bool(violations(run(linked)))

    assert sleeps(caller("waits", "2"))
    assert not sleeps(caller("does_not_wait", "4 | 1"))
    assert sleeps(caller("not_known", "any"))
    made = "void make(int f) { struct request r = { .flags = f }; submit(&r); }\n"
    for flags, expected in ((4, False), (2, True)):
        locked = f"_raw_spin_lock(&a); make({flags}); _raw_spin_unlock(&a);"
        assert sleeps(f"{made}void top(void) {{ {locked} }}") is expected
    assert sleeps(
        "extern void prepare(struct request *r);\n"
        "void changed(void) { struct request r = { .flags = 4 };\n"
        "_raw_spin_lock(&a); prepare(&r); submit(&r); _raw_spin_unlock(&a); }\n"
    )
