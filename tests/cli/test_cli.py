# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line against a stand-in for the pipeline."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ctxlint import __version__, pipeline
from ctxlint.base.errors import (
    FrontendError,
    RuleError,
    StoreError,
    ToolMissingError,
    TreeError,
    UsageError,
)
from ctxlint.cli import main as cli_main
from ctxlint.cli.main import COMMANDS, main
from ctxlint.findings import model
from ctxlint.findings.graph import CallGraph, GraphEdge, GraphNode

MINIATURE = Path(__file__).parents[2] / "fixtures" / "tree"

FINDING = model.Finding(
    check="sleep-in-atomic",
    severity="error",
    profiles=("arm64-rt",),
    rt_only=False,
    message="mutex_lock() sleeps, but interrupts are off here",
    file="drivers/irqchip/irq-snail.c",
    line=22,
    column=2,
    function="snail_irq_mask",
    callee="mutex_lock",
    operation="mutex",
    why="waits for the owner by sleeping",
    certainty="certain",
    entry=model.Entry(kind="irq_chip.irq_mask", function="snail_irq_mask", file="a.c", line=1),
    context=model.ContextInfo(
        text="interrupts off",
        irqs="off",
        preempt="off",
        nmi=False,
        hardirq=False,
        softirq=False,
        bh_disabled=False,
        rcu=False,
        locks=(),
    ),
    path=(),
    assumptions=(),
    fingerprint="0" * 16,
)
INCOMPLETE = model.Incomplete(file="a.c", profile="arm64-rt", reason="timed out")


def result(*findings: model.Finding, incomplete: bool = False) -> model.Result:
    return model.Result(
        tool=model.ToolInfo(name="ctxlint", version=__version__),
        tree=model.TreeInfo(version="6.12.0"),
        profiles=(model.Profile(name="arm64-rt", arch="arm64", rt=True, config="defconfig"),),
        findings=findings,
        incomplete=(INCOMPLETE,) if incomplete else (),
        uncovered=(),
        unknown_callees=(),
        statistics={},
    )


class Fake:
    """Stands in for the pipeline; keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[pipeline.Request] = []
        self.limits: list[int] = []
        self.answer: Any = result()

    def audit(self, request: pipeline.Request, progress: pipeline.Progress) -> Any:
        self.requests.append(request)
        progress.start("parse", 2)
        progress.advance("parse", "a.c")
        progress.finish("parse")
        progress.log("debug", "a detail")
        progress.log("warning", "a warning")
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def prepare(self, request: pipeline.Request, progress: pipeline.Progress) -> Any:
        self.audit(request, progress)
        return (
            pipeline.PreparedProfile(
                name="arm64-rt",
                arch="arm64",
                rt=True,
                config="defconfig",
                build=Path("/b"),
                commands=Path("/b/compile_commands.json"),
                units=3,
                uncovered=("drivers/irqchip/irq-x.c",),
            ),
        )

    def graph(
        self, request: pipeline.Request, target: str, progress: pipeline.Progress, limit: int
    ) -> Any:
        self.audit(request, progress)
        if target == "nobody":
            raise UsageError("no function nobody()", hint="name the file")
        self.limits.append(limit)
        node = GraphNode(
            id=target, kind="focus", name=target, file="a.c", line=1, layer=0,
            contexts=("hard interrupt: in hard interrupt",),
        )  # fmt: skip
        mutex = GraphNode(
            id="op", kind="operation", name="mutex_lock", file="a.c", line=2, layer=1,
            note="sleeps",
        )  # fmt: skip
        edge = GraphEdge(source=target, target="op", kind="call", file="a.c", line=2)
        drawn = CallGraph(focus=target, profile="arm64-rt", nodes=(node, mutex), edges=(edge,))
        answer = pipeline.FunctionGraphs(
            symbol=target, graphs=(drawn,), contexts=(("arm64-rt", node.contexts),)
        )
        return (answer, answer) if target == "twice" else (answer,)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    stand_in = Fake()
    for name in ("audit", "prepare", "graph"):
        monkeypatch.setattr(pipeline, name, getattr(stand_in, name))
    return stand_in


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty kernel tree, which is the current directory."""
    root = tmp_path / "linux"
    for name in ("drivers/irqchip", "drivers/firmware", "drivers/perf"):
        (root / name).mkdir(parents=True)
    (root / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\n")
    (root / "drivers/irqchip/irq-gic.c").write_text("")
    monkeypatch.chdir(root)
    return root


# -- audit -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (result(), 0),
        (result(FINDING), 1),
        (result(incomplete=True), 3),
        (result(FINDING, incomplete=True), 3),
        (TreeError("not a tree"), 2),
        (RuleError("wrong rule"), 2),
        (ToolMissingError("no flex"), 2),
        (StoreError("no cache"), 2),
        (FrontendError("no libclang"), 2),
        (OSError(28, "No space left on device"), 2),
        (MemoryError(), 3),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("a bug"), 3),
    ],
)
def test_exit_codes(answer: Any, code: int, fake: Fake, tree: Path) -> None:
    fake.answer = answer
    assert main(["audit"]) == code


def test_errors_have_a_hint(fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake.answer = ToolMissingError("flex is missing", hint="apt install flex")
    main(["audit"])
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("ctxlint: error: flex is missing\nhint: apt install flex\n")


def test_defaults(fake: Fake, tree: Path) -> None:
    main(["audit"])
    (request,) = fake.requests
    assert request == pipeline.Request(tree=tree.resolve())


def test_options(fake: Fake, tree: Path, tmp_path: Path) -> None:
    line = "audit drivers/perf --arch riscv --config allmodconfig --rt --build b1 --build b2"
    line += " --cache c --jobs 3 --timeout 9 --libclang l.so --rules r"
    main(line.split())
    (request,) = fake.requests
    assert request == pipeline.Request(
        tree=tree.resolve(),
        paths=("drivers/perf",),
        arch="riscv",
        config="allmodconfig",
        rt="rt",
        builds=(tree.resolve() / "b1", tree.resolve() / "b2"),
        cache=Path("c"),
        jobs=3,
        timeout=9.0,
        libclang="l.so",
        rules=(Path("r"),),
    )


def test_paths_from_a_directory_of_the_tree(
    fake: Fake, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree / "drivers/irqchip")
    main(["audit", "irq-gic.c", "drivers/perf", "--no-rt"])
    (request,) = fake.requests
    assert request.paths == ("drivers/irqchip/irq-gic.c", "drivers/perf")
    assert request.tree == tree.resolve()
    assert request.rt == "nort"


@pytest.mark.parametrize(
    "line",
    [
        "audit no/such/file.c",
        "audit --no-such-option",
        "audit --format xml",
        "audit --jobs -1",
        "audit --tree /no/such/tree",
        "no-such-command",
        "why",
        "why nobody",
        "explain no-such-check",
        "rules show no-such-function",
    ],
)
def test_usage_errors(
    line: str, fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "ctxlint: error: " in err
    assert "Traceback" not in err


def test_a_command_that_is_misspelt(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audti"]) == 2
    assert "Did you mean audit?" in capsys.readouterr().err


def test_a_directory_of_the_tree_is_the_default_there(
    fake: Fake, tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tree / "drivers" / "irqchip")
    main(["audit"])
    assert fake.requests[-1].paths == ("drivers/irqchip",)
    assert "auditing drivers/irqchip for arm64 defconfig" in capsys.readouterr().err
    monkeypatch.chdir(tree)
    main(["audit"])
    assert fake.requests[-1].paths == ()


def test_outside_of_a_tree(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["audit"]) == 2
    assert fake.requests == []


def test_json(fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake.answer = result(FINDING)
    main(["audit", "--format", "json"])
    data = json.loads(capsys.readouterr().out)
    assert data["findings"][0]["check"] == "sleep-in-atomic"


def test_sarif(fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake.answer = result(FINDING, incomplete=True)
    main(["audit", "--format", "sarif"])
    run = json.loads(capsys.readouterr().out)["runs"][0]
    assert run["results"][0]["ruleId"] == "sleep-in-atomic"
    assert run["invocations"][0]["exitCode"] == 3


def test_html(fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake.answer = result(FINDING)
    url = "https://example.org/{file}#n{line}"
    assert main(["audit", "--format", "html", "--source-url", url]) == 1
    out = capsys.readouterr().out
    assert out.startswith("<!DOCTYPE html>") and FINDING.message in out
    assert f"https://example.org/{FINDING.file}#n{FINDING.line}" in out


def test_output_file(fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake.answer = result(FINDING)
    assert main(["audit", "--format", "json", "-o", "out.json"]) == 1
    assert capsys.readouterr().out == ""
    assert json.loads(Path("out.json").read_text())["findings"]
    assert Path("out.json").stat().st_mode & 0o444 == 0o444 & ~_umask()
    assert [path.name for path in tree.iterdir() if "out.json" in path.name] == ["out.json"]


def test_output_file_is_whole_or_old(
    fake: Fake, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("out.txt").write_text("old")

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    assert main(["audit", "-o", "out.txt"]) == 2
    assert Path("out.txt").read_text() == "old"
    assert len([path for path in tree.iterdir() if "out.txt" in path.name]) == 1


def test_output_into_a_missing_directory(fake: Fake, tree: Path) -> None:
    assert main(["audit", "-o", "no/such/out.txt"]) == 2


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_no_colour_in_a_pipe(
    fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.answer = result(FINDING)
    main(["audit"])
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert "irq-snail.c:22:2: error:" in out


@pytest.mark.parametrize(
    ("arguments", "environment", "colour"),
    [
        ([], {}, True),
        (["--no-color"], {}, False),
        ([], {"NO_COLOR": "1"}, False),
        ([], {"NO_COLOR": ""}, True),
        ([], {"TERM": "dumb"}, False),
    ],
)
def test_colour_on_a_terminal(
    arguments: list[str],
    environment: dict[str, str],
    colour: bool,
    fake: Fake,
    tree: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    fake.answer = result(FINDING)
    main(["audit", *arguments])
    assert ("\x1b[" in capsys.readouterr().out) is colour


@pytest.mark.parametrize(
    ("options", "shown"),
    [([], ["warning"]), (["-vv"], ["debug", "warning"]), (["-q"], [])],
)
def test_verbosity(
    options: list[str],
    shown: list[str],
    fake: Fake,
    tree: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["audit", *options])
    err = capsys.readouterr().err
    assert [word for word in ("debug", "warning") if f"ctxlint: {word}:" in err] == shown


def test_bars_only_on_a_terminal(
    fake: Fake, tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["audit"])
    assert "parse" not in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["audit"]) == 0


# -- configuration file ---------------------------------------------------------------


def test_configuration_file(fake: Fake, tree: Path, user: Path) -> None:
    user.write_text(
        'paths = ["drivers/perf"]\narch = "arm"\nrt = false\nbuilds = ["b"]\njobs = 2\n'
        'timeout = 5\nrules = ["r"]\ncache = "c"\nformat = "json"\noutput = "o.json"\n'
    )
    main(["audit"])
    (request,) = fake.requests
    root = user.parent
    assert request == pipeline.Request(
        tree=tree.resolve(),
        paths=("drivers/perf",),
        arch="arm",
        rt="nort",
        builds=(root / "b",),
        jobs=2,
        timeout=5,
        rules=(root / "r",),
        cache=root / "c",
    )
    assert json.loads((root / "o.json").read_text())["findings"] == []


def test_command_line_wins(fake: Fake, tree: Path) -> None:
    (tree / ".ctxlint.toml").write_text('arch = "arm"\nrt = false\nbuilds = ["b"]\n')
    main(["audit", "--arch", "x86_64", "--rt"])
    (request,) = fake.requests
    assert (request.arch, request.rt, request.builds) == ("x86_64", "rt", ())


def test_pyproject_of_the_tree(fake: Fake, tree: Path) -> None:
    (tree / "pyproject.toml").write_text('[tool.ctxlint]\narch = "riscv"\n')
    main(["audit"])
    assert fake.requests[0].arch == "riscv"


def test_nothing_above_the_tree_is_read(fake: Fake, tree: Path) -> None:
    """There it could be of somebody else, in a directory where everybody may write."""
    (tree.parent / "pyproject.toml").write_text('[tool.ctxlint]\narch = "riscv"\n')
    (tree.parent / ".ctxlint.toml").write_text("nonsense\n")
    main(["audit"])
    assert fake.requests[0].arch is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = 1\n", "unknown key 'colour'"),
        ("# x\njobz = 1\n", "config.toml:2: unknown key 'jobz'\nhint: did you mean jobs?"),
        ("[severity]\nsleep-in-atomc = 'error'\n", "config.toml:2: no check is called"),
        ('jobs = "many"\n', "toml:1: 'jobs': expected `int`, got `str`"),
        ("jobs = true\n", "'jobs': expected `int`, got `bool`"),
        ("paths = [1]\n", "'paths[0]': expected `str`, got `int`"),
        ('rt = "maybe"\n', "'rt': no value is 'maybe'\nhint: it is one of true, false"),
        ("paths = [\n", "config.toml"),
        ('format = "xml"\n', "'format' must be"),
        ('fail-on = "note"\n', "hint: it is one of error, warning, never"),
        ('select = "a"\n', "'select': expected an array, got `str`"),
        ('severity = "error"\n', "'severity': expected a table, got `str`"),
        ('severity = { sleep-in-atomic = "note" }\n', "severity of 'sleep-in-atomic'"),
        ('per-path = ["a"]\n', "'per-path[0]': expected a table, got `str`"),
        ('[[per-path]]\nignore = ["sleep-in-atomic"]\n', "'per-path[0]': it lacks `paths`"),
        ('[[per-path]]\npaths = ["a"]\nselect = ["b"]\n', "per-path: unknown key 'select'"),
    ],
)
def test_wrong_configuration_file(
    text: str, said: str, fake: Fake, tree: Path, user: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    user.write_text(text)
    assert main(["audit"]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert str(user) in err


def test_miniature_tree_needs_no_options(fake: Fake) -> None:
    assert main(["audit", "--tree", str(MINIATURE)]) == 0
    (request,) = fake.requests
    assert [path.name for path in request.builds] == ["rt", "nort"]
    assert all((path / ".config").is_file() for path in request.builds)


# -- the other commands ------------------------------------------------------------------


def test_prepare(fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "--arch", "x86_64", "--rt"]) == 0
    out = capsys.readouterr().out
    assert "/b/compile_commands.json (3 units)" in out
    assert "1 C file" in out


def test_why(fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "some_function"]) == 0
    out = capsys.readouterr().out
    assert "some_function()  a.c:1" in out
    assert "[arm64-rt]" in out and "in hard interrupt" in out
    assert "`-- mutex_lock() sleeps  a.c:2" in out
    assert main(["why", "twice", "--limit", "7"]) == 0
    assert capsys.readouterr().out.count("twice()  a.c:1") == 2
    assert fake.limits == [40, 7]


def test_graph(fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for style, start in (("dot", "digraph "), ("mermaid", "flowchart LR")):
        assert main(["graph", "some_function", "--format", style]) == 0
        out = capsys.readouterr().out
        assert out.startswith(start) and "mutex_lock" in out
    assert main(["graph", "some_function", "-o", str(tree / "g.dot")]) == 0
    out, err = capsys.readouterr()
    assert (out, err.splitlines()[-1]) == ("", f"ctxlint: {tree / 'g.dot'} written")
    assert main(["graph", "some_function", "-q", "-o", str(tree / "g.dot")]) == 0
    assert "written" not in capsys.readouterr().err
    assert "some_function()" in (tree / "g.dot").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "rows", "paged"),
    [
        ([], 3, True),
        (["-f", "concise"], 1, True),
        ([], 1000, False),
        (["--no-pager"], 3, False),
        (["-f", "json"], 3, False),
    ],
)
def test_what_does_not_fit_is_paged(
    arguments: list[str],
    rows: int,
    paged: bool,
    fake: Fake,
    tree: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[str] = []
    monkeypatch.setattr("click.echo_via_pager", lambda text, color: shown.append(text))
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setenv("LINES", str(rows))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("LESS", raising=False)
    fake.answer = result(FINDING)
    assert main(["audit", *arguments]) == 1
    assert bool(shown) is paged


def test_an_interrupt_while_it_is_loaded_prints_nothing() -> None:
    code = (
        "import builtins, os, signal\n"
        "from ctxlint.cli import start\n"
        "real = builtins.__import__\n"
        "def load(name, *more):\n"
        "    if name == 'ctxlint.cli.main':\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    return real(name, *more)\n"
        "builtins.__import__ = load\n"
        "start.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")


def test_a_graph_is_of_one_function(
    fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", "twice"]) == 2
    assert "hint: say which: twice, twice" in capsys.readouterr().err


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    assert "rt-sleep-in-atomic" in capsys.readouterr().out
    assert main(["explain", "sleep-in-atomic"]) == 0
    assert "Why it matters" in capsys.readouterr().out


def test_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "list"]) == 0
    listed = capsys.readouterr().out
    assert "mutex_lock" in listed
    assert main(["rules", "show", "mutex_lock"]) == 0
    shown = capsys.readouterr().out
    assert "source: kernel/locking/mutex.c" in shown
    assert "level: sleep" in shown
    assert main(["rules", "show", "mutex_lok"]) == 2
    assert "mutex_lock" in capsys.readouterr().err


# -- help and start-up ---------------------------------------------------------------------

HELP = [
    [],
    *([name] for name in COMMANDS),
    ["rules", "list"],
    ["rules", "show"],
    ["baseline", "create"],
    ["baseline", "update"],
    ["baseline", "show"],
]


@pytest.mark.parametrize("path", HELP, ids=" ".join)
def test_help(
    path: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main([*path, "--help"]) == 0
    out = capsys.readouterr().out
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "Examples:" in out


def test_summaries_agree_with_the_commands() -> None:
    for name in COMMANDS:
        command = cli_main.cli.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        assert command.name == name


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"ctxlint, version {__version__}\n"


def test_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ctxlint", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert __version__ in done.stdout


def test_help_imports_nothing_of_the_analysis() -> None:
    code = "import sys; from ctxlint.cli.main import main; main(['--help'])\n"
    code += (
        "print([m for m in sys.modules if m.startswith(('ctxlint.', 'clang', 'rich', 'yaml'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.splitlines()[-1]
    for name in ("ctxlint.pipeline", "clang", "rich", "yaml", "ctxlint.frontend"):
        assert f"'{name}'" not in loaded


def test_an_audit_imports_nothing_of_the_model() -> None:
    """Unless findings are run, which takes the solver; hooks and builds start often."""
    code = (
        "import sys, ctxlint.pipeline.run, ctxlint.pipeline.single, ctxlint.pipeline.series\n"
        "heavy = ('ctxlint.simulator', 'ctxlint.verification', 'z3', 'greenlet')\n"
        "print([m for m in sys.modules if m.startswith(heavy)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(shell: str) -> None:
    environment = {**os.environ, "_CTXLINT_COMPLETE": f"{shell}_source"}
    code = "from ctxlint.cli.main import main; main([])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert "_CTXLINT_COMPLETE" in done.stdout


def test_closed_pipe() -> None:
    command = f"{sys.executable} -m ctxlint rules list | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_results_are_not_lost_in_encoding(
    fake: Fake, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.answer = result(msgspec.structs.replace(FINDING, message="caf\u00e9"))
    main(["audit"])
    assert "caf\u00e9" in capsys.readouterr().out
