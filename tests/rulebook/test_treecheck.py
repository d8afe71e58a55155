# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules against trees: what is missing, and what a tree decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from ctxlint.rulebook import Rulebook, fitting, load, treecheck

RULES = {
    "apis/drivers_frob.yaml": """
source: drivers/frob.h
some_kernels: [frob_old]
apis:
  - prototype: void frob_wait(struct frob *frob, int flags)
    requires:
      - {level: sleep, when: flags & FROB_SLEEPS, tree: "drivers/frob.c:frob_new_way"}
      - {level: config, tree: "!drivers/frob.c:frob_new_way"}
    source: drivers/frob.c:frob_wait
  - prototype: void frob_gone(struct frob *frob)
    source: drivers/frob.c:frob_wait
  - prototype: void frob_old(struct frob *frob)
    source: drivers/frob.c:frob_wait
  - prototype: void frob_renamed(struct frob *frob)
    aliases: [frob_named]
    source: drivers/frob.c:frob_wait
""",
    "callbacks/frob.yaml": """
source: drivers/frob.h
records:
  - record: frob_ops
    fields:
      - {field: go, contexts: [{context: task}], source: "drivers/frob.c:frob_go"}
      - {field: went, contexts: [{context: task}], source: "drivers/frob.c:frob_wait"}
""",
    "constants.yaml": """
FROB_SLEEPS: {value: 4, source: "drivers/frob.h:FROB_SLEEPS"}
FROB_SPINS: {value: 2, source: "drivers/frob.h:FROB_SPINS"}
""",
}
FILES = {
    "drivers/frob.c": """
void frob_wait(struct frob *frob, unsigned int mode, int more)
{
	frob_named(frob);
}
static void frob_go(void) { }
""",
    "drivers/frob.h": """
#define FROB_SLEEPS	BIT(3)
#define FROB_SPINS	0x2
struct frob_ops {
	int (*go)(void);
};
""",
}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    root = tmp_path_factory.mktemp("rules")
    for name, text in RULES.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("# SPDX-License-Identifier: GPL-2.0-or-later\n" + text)
    return load([root])


def checked(book: Rulebook, files: Mapping[str, str]) -> set[tuple[str, str, str]]:
    """Misfits of the rules about frobbing, with the headers of ``files``."""

    def search(words: Iterable[str]) -> frozenset[str]:
        return frozenset(w for w in words if any(w in text for text in files.values()))

    found = treecheck.check(book, files.get, search, lambda _: ["drivers/frob.h"])
    return {(m.kind, m.rule, m.text) for m in found if "frob" in m.rule.lower()}


def test_what_a_tree_lacks(book: Rulebook) -> None:
    assert checked(book, FILES) == {
        ("function", "frob_gone", "not in the tree"),
        ("member", "frob_ops.went", "struct frob_ops has no such member"),
        ("prototype", "frob_wait", "has no parameter flags: (frob, mode, more)"),
        ("constant", "FROB_SLEEPS", "is 0x8 in the tree, not 0x4"),
    }


def test_a_source_that_is_gone(book: Rulebook) -> None:
    files = {"drivers/frob.h": FILES["drivers/frob.h"]}
    found = checked(book, files)
    assert ("source", "drivers/frob.c:frob_go", "no such file") in found
    gone = [item.rule for item in treecheck.sources(book, files.get)]
    assert gone.count("drivers/frob.c:frob_wait") == 5  # not of frob_old()


def test_a_tree_that_fits(book: Rulebook) -> None:
    files = {
        "drivers/frob.c": "void frob_wait(struct frob *frob, int flags)\n"
        "{ frob_go(frob_gone); }",
        "drivers/frob.h": "FROB_SLEEPS = 4,\nFROB_SPINS = 1 << 1,\n"
        "struct frob_ops { int (*go)(void), (*went)(void); frob_renamed };",
    }
    assert not checked(book, files)


@pytest.mark.parametrize(("text", "levels"), [("frob_new_way", ["sleep"]), ("", ["config"])])
def test_what_the_tree_has_decides(book: Rulebook, text: str, levels: list[str]) -> None:
    holds = fitting.outcomes(book, {"drivers/frob.c": text}.get)
    fitted = fitting.fitted(book, holds)
    assert [case.level for case in fitted.apis["frob_wait"].api.requires] == levels
    # One and the same name is no part of another.
    assert not fitting.outcomes(book, {"drivers/frob.c": "frob_new_ways"}.get)[
        "drivers/frob.c:frob_new_way"
    ]


def test_choices_of_callbacks_are_fitted_too() -> None:
    """Probes of tracepoints run with preemption off, unless SRCU protects them."""
    book = load()
    for holds, count in ((True, 1), (False, 0)):
        fitted = fitting.fitted(book, dict.fromkeys(book.tree_conditions, holds))
        rule = fitted.registration("register_trace_frob")
        assert rule is not None
        assert len(rule.registration.callbacks[0].contexts) == count
