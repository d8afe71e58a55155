# SPDX-License-Identifier: GPL-2.0-or-later
"""What is offered for values, as click finds it for a command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import CompletionItem, ShellComplete
from warm_cache import warmed

from ctxlint.checks import base
from ctxlint.cli.main import cli
from ctxlint.rulebook.rows import all_rows
from ctxlint.scenarios import schema
from ctxlint.store.names import stored_functions
from ctxlint.store.peek import newest_facts
from ctxlint.units.digest import decode_facts

MINIATURE = Path(__file__).parents[2] / "fixtures/tree"


def items(*words: str) -> list[CompletionItem]:
    """For the last of the words of a command line, which is being written."""
    complete = ShellComplete(cli, {}, "ctxlint", "_CTXLINT_COMPLETE")
    return complete.get_completions(list(words[:-1]), words[-1])


def offered(*words: str) -> list[str]:
    return [item.value for item in items(*words)]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kernel tree as far as it takes to be one; the current directory is elsewhere."""
    root = tmp_path / "linux"
    for folder in ("arch/arm64/configs", "arch/x86", "arch/riscv", "drivers/irqchip", "fs"):
        (root / folder).mkdir(parents=True)
    (root / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\n")
    for arch in ("arm64", "x86", "riscv"):
        (root / f"arch/{arch}/Makefile").write_text("")
    (root / "arch/arm64/configs/virt.config").write_text("")
    (root / "drivers/irqchip/irq-a.c").write_text("")
    (root / "drivers/irqchip/irq-b.c").write_text("")
    (root / "drivers/.hidden").write_text("")
    (tmp_path / "here").mkdir()
    (tmp_path / "here/found.c").write_text("")
    monkeypatch.chdir(tmp_path / "here")
    return root


def test_checks() -> None:
    ids = [check.id for check in base.checks()]
    assert offered("explain", "") == offered("audit", "--select", "") == ids
    assert offered("explain", "s") == ["sleep-in-atomic"]
    # A list goes on after its comma.
    assert offered("audit", "--ignore", "x,rt") == ["x,rt-sleep-in-atomic"]
    assert "sleep-in-atomic,sleep-in-atomic" not in offered(
        "patch", "--select", "sleep-in-atomic,"
    )


def test_architectures(tree: Path) -> None:
    assert offered("audit", "--tree", str(tree), "--arch", "") == [
        "arm64", "i386", "riscv", "x86_64",
    ]  # fmt: skip
    assert offered("audit", "--tree", str(tree), "--arch", "x") == ["x86_64"]
    assert "loongarch" in offered("audit", "--arch", "l")  # no tree here


def test_configurations(tree: Path) -> None:
    at = ("audit", "--tree", str(tree))
    assert offered(*at, "--config", "all") == ["allmodconfig", "allyesconfig", "allnoconfig"]
    assert offered(*at, "--config", "v") == ["virt.config"]
    assert [i.type for i in items(*at, "--arch", "riscv", "--config", "v")] == ["file"]
    assert [i.type for i in items(*at, "--config", "./x")] == ["file"]


def test_formats() -> None:
    assert offered("audit", "-f", "s") == ["sarif"]
    assert offered("model", "run", "-f", "t") == ["text", "table"]


def test_scenarios() -> None:
    catalogue = schema.load().scenarios
    for line in (("model", "run", ""), ("model", "trace", "")):
        found = {item.value: item.help for item in items(*line)}
        assert found == {one.id: one.title for one in catalogue.values()}
    assert set(offered("model", "run", "M0-01", "M0-0")) < set(catalogue)


def test_rules() -> None:
    names = {row.name for row in all_rows()}
    assert set(offered("rules", "show", "")) == names
    assert "free_pages" in offered("rules", "show", "free_p")


def test_functions_that_a_run_has_read(tmp_path: Path) -> None:
    cache = warmed(tmp_path / "cache")
    facts = [decode_facts(blob) for blob in newest_facts(cache / "store.sqlite", 100)]
    assert facts
    names = {fn.name for unit in facts for fn in unit.summaries}
    assert stored_functions(cache / "store.sqlite", "") == names
    for command in ("why", "graph"):
        assert (
            set(offered(command, "--cache", str(cache), "snail_"))
            == {name for name in names if name.startswith("snail_")}
            != set()
        )
    assert offered("why", "--cache", str(tmp_path / "none"), "") == []
    assert not (tmp_path / "none").exists()


def test_a_look_changes_nothing(tmp_path: Path) -> None:
    """Neither a good database nor one that is no database."""
    cache = warmed(tmp_path / "cache")
    before = {path.name: path.read_bytes() for path in cache.iterdir() if path.is_file()}
    assert stored_functions(cache / "store.sqlite", "snail")
    assert before == {p.name: p.read_bytes() for p in cache.iterdir() if p.is_file()}
    bad = tmp_path / "bad.sqlite"
    for data in (b"", b"no database", (cache / "store.sqlite").read_bytes()[:9000]):
        bad.write_bytes(data)
        assert stored_functions(bad, "") == set()
        assert bad.read_bytes() == data


def test_the_cache_of_the_settings(tmp_path: Path, user: Path) -> None:
    user.write_text(f'cache = "{warmed(tmp_path / "cache")}"\n')
    assert offered("why", "snail_")


def test_paths(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = ("audit", "--tree", str(tree))
    assert [i.type for i in items(*at, "fo")] == ["file"]  # the shell sees it itself
    assert offered(*at, "drivers/irqchip/") == [
        "drivers/irqchip/irq-a.c",
        "drivers/irqchip/irq-b.c",
    ]
    assert offered(*at, "ar") == ["arch/", "arch/arm64/", "arch/riscv/", "arch/x86/"]
    assert offered(*at, "drivers/irqchip/irq-b") == ["drivers/irqchip/irq-b.c"]
    assert offered(*at, "nowhere/x") == []
    monkeypatch.chdir(tree / "fs")
    assert offered("audit", "drivers/irqchip/irq-a") == ["drivers/irqchip/irq-a.c"]
    for line in (("patch", "x"), ("audit", "--libclang", "x")):
        assert [i.type for i in items(*line)] == ["file"]


def test_nothing_that_takes_long_is_loaded() -> None:
    """Completion happens between two keys."""
    script = (
        "import sys\nfrom ctxlint.cli.start import main\ntry:\n  main()\nfinally:\n"
        "  print(*sorted(sys.modules), file=sys.stderr)\n"
    )
    for line, answer in (("ctxlint explain sl", "sleep"), ("ctxlint model run M0-01", "M0-01")):
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {
                "_CTXLINT_COMPLETE": "bash_complete",
                "COMP_WORDS": line,
                "COMP_CWORD": str(len(line.split()) - 1),
            },
            capture_output=True,
            text=True,
            check=True,
        )  # fmt: skip
        assert answer in done.stdout
        loaded = set(done.stderr.split())
        assert not loaded & {"yaml", "clang", "rich", "jinja2", "ctxlint.analysis", "msgspec"}
