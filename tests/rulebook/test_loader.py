# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading rules: what is wrong is said with its place; what is right is indexed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxlint.base.errors import RuleError
from ctxlint.rulebook import load
from ctxlint.rulebook.effects import Count, IrqRestore, IrqSave, Lock, parse

WRONG = [
    ("apis/a.yaml", "source: a.h\nsauce: b\n", r"rules/apis/a.yaml: .*unknown field `sauce`"),
    (
        "apis/a.yaml",
        "source: a.h\napis:\n  - prototype: int f(int a)\n    efect: {}\n",
        r"apis\[0\]: .*efect",
    ),
    (
        "apis/a.yaml",
        "source: a.h\napis:\n  - prototype: f\n",
        r"apis\[0\].prototype: `f` is not a prototype",
    ),
    (
        "apis/a.yaml",
        "source: a.h\napis:\n  - prototype: int f(gfp_t)\n",
        r"apis\[0\].prototype: .* is not a prototype",
    ),
    (
        "apis/a.yaml",
        "source: a.h\napis:\n  - prototype: int f(int a)\n"
        "    requires: [{level: sleep, when: a +}]\n",
        r"apis\[0\].requires\[0\].when: .* is not a condition",
    ),
    (
        "apis/a.yaml",
        "source: a.h\napis:\n  - prototype: int f(int a)\n"
        "    requires: [{level: sleep, when: b}]\n",
        r"requires\[0\].when: the prototype has no parameter `b`",
    ),
    (
        "apis/a.yaml",
        "source: a.h\napis:\n  - prototype: int f(int a)\n    requires: [{level: nap}]\n",
        r"apis\[0\].requires\[0\].level: .*nap",
    ),
    (
        "apis/a.yaml",
        "source: a.h\napis:\n  - prototype: int f(int a)\n    effect: {any: [irq out]}\n",
        r"apis\[0\].effect: `irq out` is not an effect",
    ),
    (
        "apis/a.yaml",
        "source: a.h\napis:\n  - prototype: int f(int a)\n    effect: {any: [lock raw b]}\n",
        r"apis\[0\].effect: the prototype has no parameter `b`",
    ),
    (
        "apis/a.yaml",
        "source: a.h\napis:\n  - prototype: int f(int a)\n    effect: {any: [lock rope a]}\n",
        r"apis\[0\].effect: unknown lock kind `rope`",
    ),
    (
        "apis/a.yaml",
        "source: a.h\napis:\n  - prototype: int f(int a)\n    operation: juggle\n",
        r"apis\[0\].operation: unknown name `juggle`",
    ),
    (
        "apis/a.yaml",
        "source: a.h\napis:\n  - prototype: int f(int a)\n    legal_in: [the moon]\n",
        r"apis\[0\].legal_in: unknown name `the moon`",
    ),
    (
        "apis/a.yaml",
        "source: a.h\napis:\n  - prototype: int f(int a)\n    returns: luck\n",
        r"apis\[0\].returns: unknown meaning `luck`",
    ),
    (
        "apis/a.yaml",
        "source: a.h\ngroups:\n  - prototypes:\n    - int f(int a)\n    - int f(int b)\n",
        r"groups\[0\].prototypes\[1\]: `f` has a rule already",
    ),
    ("apis/a.yaml", "source: a.h\nsource: b.h\n", r"a.yaml:1: a key is there twice"),
    ("apis/a.yaml", "source: [\n", r"rules/apis/a.yaml:\d+: "),
    (
        "entry_points/a.yaml",
        "source: a.c\nregistrations:\n  - prototype: int f(cb fn)\n"
        "    callbacks: [{arg: gn, kind: k, contexts: [{context: task}]}]\n",
        r"registrations\[0\].callbacks\[0\].arg: the prototype has no parameter `gn`",
    ),
    (
        "entry_points/a.yaml",
        "source: a.c\nregistrations:\n  - prototype: int f(cb fn)\n"
        "    callbacks: [{arg: fn, kind: k, contexts: [{context: nowhere}]}]\n",
        r"registrations\[0\].callbacks\[0\].context: unknown name `nowhere`",
    ),
    (
        "apis/a.yaml",
        "source: a.h\napis:\n  - prototype: int f(int a)\n"
        "    requires: [{level: sleep, when: a & FROB_WAIT}]\n",
        r"apis/a.yaml: apis\[0\].requires\[0\].when: unknown name `FROB_WAIT`",
    ),
    (
        "entry_points/a.yaml",
        "source: a.c\nregistrations:\n  - prototype: int f(cb fn, int a)\n    callbacks:\n"
        "      - {arg: fn, kind: k, contexts: [{context: task, when: a == FROB_LATE}]}\n",
        r"registrations\[0\].callbacks\[0\].contexts\[0\].when: unknown name `FROB_LATE`",
    ),
    (
        "callbacks/a.yaml",
        "source: a.c\nrecords:\n  - record: ops\n    fields:\n"
        "      - {field: go, contexts: [{context: task, when: flags & FROB_LATE}]}\n",
        r"a.yaml: records\[0\].fields\[0\].contexts\[0\].when: unknown name `FROB_LATE`",
    ),
    (
        "callbacks/a.yaml",
        "source: a.c\nrecords:\n  - record: ops\n    fields:\n"
        "      - {field: go, contexts: [{context: task, unless: chip.flags & FROB_LATE}]}\n",
        r"a.yaml: records\[0\].fields\[0\].contexts\[0\].unless: unknown name `FROB_LATE`",
    ),
    (
        "entry_points/a.yaml",
        "source: a.c\nfunctions:\n"
        "  - {function: f, file: a.c, kind: k, contexts: [{context: task, when: FROB_LATE}]}\n",
        r"a.yaml: functions\[0\].contexts\[0\].when: unknown name `FROB_LATE`",
    ),
    (
        "constants.yaml",
        "FROB_WAIT: {source: 'a.h:FROB_WAIT'}\n",
        r"FROB_WAIT: neither a value nor an enumerator",
    ),
    ("notes.yaml", "a: b\n", r"rules/notes.yaml: no kind of rules lives here"),
]


@pytest.mark.parametrize(("name", "text", "message"), WRONG, ids=[w[2] for w in WRONG])
def test_errors_say_where(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / "rules" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(RuleError, match=message):
        load([tmp_path / "rules"])


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="neither a directory"):
        load([tmp_path / "absent"])


def test_own_rules_over_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "apis").mkdir()
    (tmp_path / "apis" / "mine.yaml").write_text(
        "source: drivers/mine.h\napis:\n"
        "  - prototype: void mutex_lock(struct mutex *lock)\n"
        "  - prototype: void mine_wait(struct mine *mine)\n"
        "    requires: [{level: sleep}]\n"
    )
    shipped, book = load(), load([tmp_path])
    assert shipped.api("mutex_lock").cases(True)  # type: ignore[union-attr]
    assert book.api("mutex_lock").cases(True) == ()  # type: ignore[union-attr]
    assert book.api("mine_wait").cases(False)[0].level == "sleep"  # type: ignore[union-attr]
    assert len(book.apis) == len(shipped.apis) + 1


def test_a_constant_of_a_file_beside_explains_a_name(tmp_path: Path) -> None:
    """Loose files in any order; an enumerator needs no value."""
    rule, constants = tmp_path / "frob.yaml", tmp_path / "constants.yaml"
    rule.write_text(
        "source: a.h\napis:\n  - prototype: int frob(int a)\n    requires:\n"
        "      - {level: sleep, when: a & FROB_WAIT || a == FROB_LATE}\n"
    )
    constants.write_text(
        "FROB_WAIT: {value: 2, source: a.h}\nFROB_LATE: {enumerator: FROB_LATE, source: a.h}\n"
    )
    for paths in ([rule, constants], [constants, rule]):
        book = load(paths)
        assert book.constants["FROB_WAIT"].value == 2
        assert book.constants["FROB_LATE"].value is None


def test_effect_phrases() -> None:
    assert parse("irq save RESULT") == IrqSave("RESULT")
    assert parse("irq restore flags") == IrqRestore("flags")
    assert parse("preempt -1") == Count("preempt", -1)
    assert parse("lock raw lock") == Lock("raw", "lock")
    assert parse("lock spin") == Lock("spin", "")
    for phrase in ("", "irq", "irq maybe", "preempt 1", "nmi +1", "lock", "lock raw a b"):
        with pytest.raises(RuleError, match="not an effect"):
            parse(phrase)
