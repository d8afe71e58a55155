# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint rules test``: rule files and fixtures that are part of nothing yet."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixture_harness import MINIATURE

from ctxlint.cli.main import main

RULES = """
source: drivers/frob/frob.h
apis:
  - prototype: void frob_wait(struct frob *frob, gfp_t flags)
    operation: wait
    requires: [{level: sleep, when: "flags & __GFP_DIRECT_RECLAIM"}]
    source: drivers/frob/core.c:frob_wait
"""
EVENTS = """
source: drivers/frob/frob.h
registrations:
  - prototype: int frob_on_event(struct frob *frob, frob_fn fn, frob_t flags)
    callbacks:
      - {arg: fn, kind: frob event, contexts: [{context: hardirq}]}
    source: drivers/frob/core.c:frob_on_event
"""
FIXTURE = """// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/gfp.h>
#include <linux/mutex.h>
static DEFINE_MUTEX(frob_mutex);
static void frob_event(struct frob *frob)
{
	frob_wait(frob, GFP_KERNEL); // expect: sleep-in-atomic
	frob_wait(frob, GFP_ATOMIC); // ok: sleep-in-atomic
}
int frob_start(struct frob *frob)
{
	mutex_lock(&frob_mutex); // ok: sleep-in-atomic
	return frob_on_event(frob, frob_event, 0);
}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, text in (("frob.yaml", RULES), ("event.yaml", EVENTS), ("frob.c", FIXTURE)):
        (tmp_path / name).write_text(text)

    def call(*arguments: str) -> tuple[int, str]:
        code = main(["rules", "test", "-q", *arguments])
        out, err = capsys.readouterr()
        return code, out + err

    return call


def test_comments_agree(run) -> None:
    code, out = run("frob.yaml", "event.yaml", "frob.c")
    assert code == 0, out
    assert "frob.yaml: 1 rule\n" in out
    assert "note: frob_on_event() is declared as its rule has it" in out
    assert "frob.c:7: sleep-in-atomic: found, as expected [nort, rt]\n" in out
    assert "    frob_wait() sleeps, called in hard interrupt" in out
    assert "frob.c:8: sleep-in-atomic: not found, which is right [nort, rt]\n" in out
    assert out.endswith("as the comments say\n")


def test_both_ways(run, tmp_path: Path) -> None:
    text = FIXTURE.replace(" // expect: sleep-in-atomic", "").replace(
        "frob_event, 0);", "frob_event, 0); // expect[rt]: sleep-in-atomic"
    )
    (tmp_path / "frob.c").write_text(text)
    code, out = run("frob.yaml", "event.yaml", "frob.c")
    assert code == 1
    assert "frob.c:7: sleep-in-atomic: found and not expected [nort, rt]\n" in out
    assert "frob.c:13: sleep-in-atomic: expected and not found [rt]\n" in out
    assert out.endswith("not as the comments say: 2\n")


def test_one_profile(run) -> None:
    code, out = run("frob.yaml", "event.yaml", "frob.c", "--no-rt")
    assert code == 0
    assert "[nort]" in out and "rt]" not in out.replace("[nort]", "")


DECLARED = """
struct frob;
typedef void (*frob_fn)(struct frob *frob);
void frob_wait(struct frob *frob, gfp_t flags);
int frob_on_event(struct frob *frob, frob_fn fn, unsigned int flags);
"""


def test_a_fixture_may_declare_all_itself(run, tmp_path: Path) -> None:
    text = FIXTURE.replace("<linux/mutex.h>\n", f"<linux/mutex.h>{DECLARED}")
    (tmp_path / "frob.c").write_text(text)
    code, out = run("frob.yaml", "event.yaml", "frob.c")
    assert code == 0, out
    assert "note:" not in out


def test_a_type_of_the_fixture_takes_the_functions_that_use_it(run, tmp_path: Path) -> None:
    text = FIXTURE.replace(
        "static void", "typedef void (*frob_fn)(struct frob *f);\nstatic void"
    )
    (tmp_path / "frob.c").write_text(text)
    code, out = run("frob.yaml", "event.yaml", "frob.c")
    assert code == 2
    assert "defines frob_fn and does not declare frob_on_event()" in out


def test_rules_alone(run, tmp_path: Path) -> None:
    assert run("frob.yaml") == (0, "frob.yaml: 1 rule\nno mistake found\n")
    (tmp_path / "frob.yaml").write_text(RULES.replace("flags & ", "flag & "))
    code, out = run("frob.yaml")
    assert code == 2
    assert "frob.yaml: apis[0].requires[0].when: the prototype has no parameter `flag`" in out
    (tmp_path / "other.yaml").write_text(RULES.replace("operation: wait", "operation: weight"))
    code, out = run("other.yaml")
    assert code == 2 and "unknown name `weight`" in out


def test_a_rule_that_the_tree_contradicts(run) -> None:
    code, out = run("frob.yaml", "--tree", str(MINIATURE))
    assert code == 1
    assert "frob_wait: not in the tree (frob.yaml: apis[0])" in out


def test_the_prototype_is_the_trees(run, tmp_path: Path) -> None:
    """The header of the tree is included, and it has another return type than the rule."""
    builds = [f"--build={MINIATURE / 'builds' / kind}" for kind in ("rt", "nort")]
    (tmp_path / "own.yaml").write_text(
        "source: include/linux/clk.h\napis:\n"
        "  - prototype: int clk_disable(struct clk *clk)\n    operation: wait\n"
        "    requires: [{level: sleep}]\n    source: include/linux/clk.h:clk_disable\n"
    )
    (tmp_path / "own.c").write_text(
        "#include <linux/spinlock.h>\nstatic DEFINE_RAW_SPINLOCK(own_lock);\n"
        "void own_delay(struct clk *clk)\n{\n\traw_spin_lock(&own_lock);\n"
        "\tclk_disable(clk); // expect: sleep-in-atomic\n\traw_spin_unlock(&own_lock);\n}\n"
    )
    code, out = run("own.yaml", "own.c", "--tree", str(MINIATURE), *builds)
    assert code == 0, out
    assert "note: clk_disable() is declared in include/linux/clk.h" in out


def test_what_cannot_be_analysed(run, tmp_path: Path) -> None:
    (tmp_path / "frob.c").write_text(FIXTURE + "int frob_end(void) { return no_such; }\n")
    code, out = run("frob.yaml", "event.yaml", "frob.c")
    assert code == 3
    assert "frob.c: not analysed: does not parse without errors" in out
    assert "no_such" in out


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("frob.c", "// expect: Some Check\n", "frob.c:1: not understood"),
        ("frob.txt", "", "neither a rule file (.yaml) nor a fixture (.c)"),
        ("frob.yaml", "- a\n", "frob.yaml: not a mapping"),
        ("frob.yaml", "- a\n", "hint: a file of rules has `source:` and one of `apis:`"),
        (
            "unknown.yaml",
            "source: a.h\napis:\n  - prototype: int f(int how)\n"
            "    requires: [{level: sleep, when: how & FROB_WAIT}]\n",
            "unknown.yaml: apis[0].requires[0].when: unknown name `FROB_WAIT`",
        ),
    ],
)
def test_usage(run, tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    code, out = run(name)
    assert code == 2 and said in out
