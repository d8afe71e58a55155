# SPDX-License-Identifier: GPL-2.0-or-later
"""Selection, baseline and exit codes on the command line, and a whole run of each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sarif_validator import complaints, installed
from test_cli import FINDING, Fake, result
from warm_cache import warmed

from ctxlint import pipeline
from ctxlint.cli.main import main
from ctxlint.findings import model
from ctxlint.findings.fingerprint import with_fingerprints

MINIATURE = Path(__file__).parents[2] / "fixtures" / "tree"
STATES = {"new", "unchanged", "absent"}
ON_RT = msgspec.structs.replace(
    FINDING, check="rt-sleep-in-atomic", rt_only=True, severity="warning", line=30
)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    stand_in = Fake()
    found = with_fingerprints([FINDING, ON_RT])
    other = model.Profile(name="arm64", arch="arm64", rt=False, config="defconfig")
    given = result(*found)
    stand_in.answer = msgspec.structs.replace(
        given, paths=("drivers",), profiles=(*given.profiles, other)
    )
    monkeypatch.setattr(pipeline, "audit", stand_in.audit)
    return stand_in


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty kernel tree, which is the current directory."""
    root = tmp_path / "linux"
    (root / "drivers/irqchip").mkdir(parents=True)
    (root / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\n")
    monkeypatch.chdir(root)
    return root


def reported(capsys: pytest.CaptureFixture[str]) -> list[str]:
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    return [finding["check"] for finding in data["findings"]]


@pytest.mark.parametrize(
    ("options", "left", "code"),
    [
        ("", ["sleep-in-atomic", "rt-sleep-in-atomic"], 1),
        ("--select sleep-in-atomic", ["sleep-in-atomic"], 1),
        ("--select sleep-in-atomic,rt-sleep-in-atomic --rt-only", ["rt-sleep-in-atomic"], 1),
        ("--ignore sleep-in-atomic --fail-on error", ["rt-sleep-in-atomic"], 0),
        ("--ignore rt-sleep-in-atomic --fail-on error", ["sleep-in-atomic"], 1),
        ("--fail-on never", ["sleep-in-atomic", "rt-sleep-in-atomic"], 0),
        ("--ignore sleep-in-atomic,rt-sleep-in-atomic", [], 0),
    ],
)
def test_options(
    options: str,
    left: list[str],
    code: int,
    fake: Fake,
    tree: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(f"audit -f json {options}".split()) == code
    assert reported(capsys) == left


def test_an_incomplete_run_never_passes(fake: Fake, tree: Path) -> None:
    fake.answer = result(incomplete=True)
    assert main(["audit", "--fail-on", "never"]) == 3


def test_configuration(fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / ".ctxlint.toml").write_text(
        'ignore = ["unused-suppression"]\nfail-on = "error"\n'
        '[severity]\nsleep-in-atomic = "warning"\n'
        '[[per-path]]\npaths = ["drivers/irqchip"]\nignore = ["rt-sleep-in-atomic"]\n'
    )
    assert main(["audit", "-f", "json"]) == 0
    assert reported(capsys) == ["sleep-in-atomic"]
    assert main(["audit", "-f", "json", "--fail-on", "warning"]) == 1
    assert main(["audit", "-f", "json", "--rt-only"]) == 0


@pytest.mark.parametrize(
    "options",
    [
        "--select sleep-in-atomics",
        "--ignore nothing",
        "--fail-on note",
        "--baseline no/such/file",
        "--baseline Makefile",
        "--baseline x --no-baseline",
    ],
)
def test_usage(
    options: str, fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Said before anything is analysed."""
    assert main(f"audit {options}".split()) == 2
    assert fake.requests == []
    assert "ctxlint: error: " in capsys.readouterr().err


def test_a_check_in_the_configuration_that_does_not_exist(fake: Fake, tree: Path) -> None:
    (tree / ".ctxlint.toml").write_text('[[per-path]]\npaths = ["a"]\nignore = ["no-such"]\n')
    assert main(["audit"]) == 2


@pytest.mark.parametrize("style", ["github", "gitlab"])
def test_formats(
    style: str, fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "-f", style]) == 1
    assert "drivers/irqchip/irq-snail.c" in capsys.readouterr().out


# -- the baseline ------------------------------------------------------------------------


def test_baseline_of_the_tree_is_taken(
    fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["baseline", "create", "--reason", "old"]) == 0
    assert (tree / ".ctxlint-baseline").read_text().count(" old\n") == 2
    assert "2 entries" in capsys.readouterr().out
    assert main(["audit"]) == 0
    assert "Hidden: 2 by the baseline" in capsys.readouterr().out
    assert main(["audit", "--no-baseline"]) == 1
    assert main(["baseline", "create"]) == 2


def test_baseline_of_the_configuration(fake: Fake, tree: Path) -> None:
    (tree / ".ctxlint.toml").write_text('baseline = "known"\n')
    assert main(["audit"]) == 2  # it was asked for, and is not there
    assert main(["baseline", "create", "--ignore", "sleep-in-atomic"]) == 0
    assert "rt-sleep-in-atomic" in (tree / "known").read_text()
    assert main(["audit"]) == 1
    assert main(["audit", "--ignore", "sleep-in-atomic"]) == 0


def test_hidden_findings_in_json_and_sarif(
    fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["baseline", "create", "--baseline", "b"])
    capsys.readouterr()
    main(["audit", "--baseline", "b", "-f", "json"])
    data = json.loads(capsys.readouterr().out)
    assert [one["baseline_state"] for one in data["hidden"]] == ["unchanged", "unchanged"]
    main(["audit", "--baseline", "b", "-f", "sarif"])
    run = json.loads(capsys.readouterr().out)["runs"][0]
    assert [one["baselineState"] for one in run["results"]] == ["unchanged", "unchanged"]
    assert run["invocations"][0]["exitCode"] == 0
    main(["audit", "--baseline", "b", "-f", "sarif", "--no-hidden"])
    assert json.loads(capsys.readouterr().out)["runs"][0]["results"] == []


def test_update_and_show(fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = fake.answer
    fake.answer = msgspec.structs.replace(whole, findings=whole.findings[:1])
    assert main(["baseline", "update"]) == 2  # there is none
    main(["baseline", "create", "--reason", "first"])
    fake.answer = msgspec.structs.replace(whole, findings=whole.findings[1:])
    capsys.readouterr()
    assert main(["baseline", "show"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("stale: drivers/irqchip/irq-snail.c: snail_irq_mask(): mutex_lock()")
    assert out.endswith("\n    first\n1 entry, 1 stale\n")
    fake.answer = msgspec.structs.replace(fake.answer, profiles=())
    assert main(["baseline", "show"]) == 0
    assert capsys.readouterr().out.startswith("not analysed: ")
    fake.answer = msgspec.structs.replace(whole, findings=whole.findings[1:])
    assert main(["audit", "--no-baseline"]) == 1
    assert main(["audit"]) == 1
    assert "Stale in the baseline: 1 entry" in capsys.readouterr().out
    assert main(["baseline", "update", "--no-new"]) == 0
    assert "  removed: " in capsys.readouterr().out
    assert main(["baseline", "update", "--reason", "second"]) == 0
    assert "  added: " in capsys.readouterr().out
    assert main(["baseline", "show"]) == 0
    assert capsys.readouterr().out.startswith("known: ")
    assert "first" not in (tree / ".ctxlint-baseline").read_text()


def test_an_incomplete_run_makes_a_baseline_and_says_so(fake: Fake, tree: Path) -> None:
    fake.answer = result(FINDING, incomplete=True)
    assert main(["baseline", "create"]) == 3
    assert (tree / ".ctxlint-baseline").is_file()


# -- with the analysis --------------------------------------------------------------------


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The miniature tree with comments in two drivers."""
    root = tmp_path_factory.mktemp("copied") / "tree"
    shutil.copytree(MINIATURE, root)
    snail = root / "drivers/irqchip/irq-snail.c"
    text = snail.read_text()
    assert text.count("\tmutex_lock(&snail->lock);") >= 1
    snail.write_text(
        text.replace(
            "\tmutex_lock(&snail->lock);",
            "\t/* ctxlint: allow(sleep-in-atomic) the bus has no atomic access */\n"
            "\tmutex_lock(&snail->lock);",
            1,
        )
    )
    tulip = root / "drivers/firmware/tulip_sdei.c"
    tulip.write_text(
        "// ctxlint: allow(rt-sleep-in-atomic) not built with PREEMPT_RT\n"
        "/* ctxlint: allow(sleep-in-atomic) nothing of the kind */\n\n" + tulip.read_text()
    )
    return root


def audit(tree: Path, *options: str, capsys: pytest.CaptureFixture[str]) -> Any:
    cache = tree.parent / "cache"
    if not cache.exists():
        warmed(cache)
    code = main(
        ["audit", "-q", "--tree", str(tree), "--cache", str(cache), "-f", "json", *options]
    )
    return code, json.loads(capsys.readouterr().out)


def test_comments_in_real_files(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, data = audit(copied, capsys=capsys)
    assert code == 1
    assert {one["file"] for one in data["hidden"]} == {
        "drivers/firmware/tulip_sdei.c",
        "drivers/irqchip/irq-snail.c",
    }
    (unused,) = [one for one in data["findings"] if one["check"] == "unused-suppression"]
    assert (unused["file"], unused["line"]) == ("drivers/firmware/tulip_sdei.c", 2)
    assert {one["file"] for one in data["findings"]} == {
        "drivers/firmware/tulip_sdei.c",
        "drivers/irqchip/irq-lily-its.c",
    }
    # Without PREEMPT_RT nothing can be said of the other comment.
    _, data = audit(copied, "--no-rt", capsys=capsys)
    assert [one["message"] for one in data["findings"]] == [unused["message"]]


def test_two_runs_are_equal_to_the_byte(
    copied: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the command line, which is another one."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first, one = audit(copied, capsys=capsys)
    second, two = audit(copied, "--jobs", "1", capsys=capsys)
    assert one["run"].pop("command") != two["run"].pop("command")
    assert (second, two) == (first, one)


def test_a_baseline_survives_an_edit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(MINIATURE, tree)
    cache = ["--tree", str(tree), "--cache", str(warmed(tmp_path / "cache")), "-q"]
    assert main(["baseline", "create", *cache]) == 0
    snail = tree / "drivers/irqchip/irq-snail.c"
    snail.write_text("/* a line */\n\n" + snail.read_text())
    assert main(["audit", *cache]) == 0
    snail.write_text(snail.read_text().replace("mutex_lock(&snail->lock);", ";"))
    capsys.readouterr()
    assert main(["baseline", "show", *cache]) == 1
    assert capsys.readouterr().out.count("stale: ") == 1


@pytest.mark.parametrize("options", [(), ("--no-hidden",), ("--no-baseline", "--rt-only")])
def test_sarif_of_a_real_run_is_valid(
    options: tuple[str, ...], copied: Path, tmp_path: Path
) -> None:
    """With what comments hide, what a baseline knows, and a stale entry of it."""
    installed("Sarif.Multitool")
    base = ["--tree", str(copied), "--cache", str(copied.parent / "cache"), "-q"]
    known = tmp_path / "known"
    assert main(["baseline", "create", *base, "--baseline", str(known)]) == 0
    lines = known.read_text().splitlines()
    gone = lines[-1].replace(lines[-1].split()[5], "0" * 32)
    known.write_text("\n".join([*lines[:-1], gone]))
    log = tmp_path / "log.sarif"
    wanted = [] if "--no-baseline" in options else ["--baseline", str(known)]
    assert main(["audit", *base, *wanted, *options, "-f", "sarif", "-o", str(log)]) == 1
    assert complaints(log) == []
    results = json.loads(log.read_text())["runs"][0]["results"]
    states = {result.get("baselineState") for result in results}
    assert states == ({None} if not wanted else {"new"} if options else STATES)
