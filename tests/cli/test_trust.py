# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: F811 (fixtures of another module)
"""Settings of a tree, which may come from a stranger, and those of the user."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from test_cli import FINDING, Fake, fake, result, tree  # noqa: F401

from ctxlint.base.errors import TreeError, UsageError
from ctxlint.cli.main import COMMANDS, main
from ctxlint.cli.settings import MAX_BYTES, load_settings
from ctxlint.kbuild import arch as arches
from ctxlint.kbuild import find_tree
from ctxlint.kbuild.model import Tree
from ctxlint.kbuild.tree import included_c_files
from ctxlint.pipeline.collect import text_reader

TRUSTED = {
    "libclang": '"evil.so"',
    "rules": '["rules"]',
    "cache": '"cache"',
    "output": '"../../OUT"',
    "format": '"json"',
    "jobs": "2",
    "timeout": "3",
}


@pytest.mark.parametrize("key", TRUSTED)
@pytest.mark.parametrize("file", [".ctxlint.toml", "pyproject.toml"])
def test_what_a_tree_must_not_say(
    key: str, file: str, fake: Fake, tree: Path, user: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Nothing that names what is loaded, run or written."""
    table = "" if file == ".ctxlint.toml" else "[tool.ctxlint]\n"
    (tree / file).write_text(f"{table}# first\narch = 'arm'\n{key} = {TRUSTED[key]}\n")
    assert main(["audit"]) == 2
    assert fake.requests == []
    said = capsys.readouterr().err
    line = 3 if not table else 4
    assert f"{tree / file}:{line}: '{key}' must not be set by a file of the tree" in said
    assert str(user) in said and f"--{key}" in said
    assert said.count("\n") == 2


@pytest.mark.parametrize(
    "line",
    [
        'builds = ["../elsewhere"]',
        'builds = ["/nowhere"]',
        'builds = ["link"]',
        'builds = ["drivers/../../elsewhere"]',
        'baseline = "../elsewhere/b"',
        'baseline = "/dev/zero"',
        'baseline = "link/b"',
        'baseline = "loop"',
        'config = ".config"',
        'config = "../elsewhere/.config"',
        'config = "drivers/x_defconfig"',
        'config = "--eval=x_config"',
    ],
)
def test_nothing_outside_of_the_tree(
    line: str,
    fake: Fake,
    tree: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tree.parent / "elsewhere").mkdir()
    (tree / "link").symlink_to("../elsewhere")
    (tree / "loop").symlink_to("loop")
    (tree / ".config").write_text("")
    (tree / ".ctxlint.toml").write_text(line + "\n")
    assert main(["audit"]) == 2
    assert fake.requests == []
    said = capsys.readouterr().err
    assert f"{tree / '.ctxlint.toml'}:1: '{line.split()[0]}'" in said


@pytest.mark.parametrize("target", ["../outside.toml", "/dev/zero", ".ctxlint.toml", "nowhere"])
def test_a_settings_file_that_is_a_link(
    target: str,
    fake: Fake,
    tree: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tree.parent / "outside.toml").write_text('secret = "word"\n')
    (tree / ".ctxlint.toml").symlink_to(target)
    assert main(["audit"]) == 2
    said = capsys.readouterr().err
    assert "secret" not in said and "word" not in said
    assert fake.requests == []


def test_the_nearest_file_in_the_tree(
    fake: Fake,
    tree: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tree / ".ctxlint.toml").write_text('arch = "arm"\n')
    (tree / "drivers/perf/.ctxlint.toml").write_text('arch = "riscv"\n')
    assert load_settings(tree).arch == "arm"
    monkeypatch.chdir(tree / "drivers/irqchip")
    assert load_settings(tree).arch == "arm"
    monkeypatch.chdir(tree / "drivers/perf")
    assert load_settings(tree).arch == "riscv"
    monkeypatch.chdir(tree.parent)
    assert load_settings(tree).arch == "arm"


def test_the_order(fake: Fake, tree: Path, user: Path) -> None:
    """Command line, tree, user."""
    user.write_text(
        'arch = "arm"\nfail-on = "error"\nlibclang = "own.so"\nbuilds = ["b"]\n'
        '[severity]\nsleep-in-atomic = "warning"\nrt-sleep-in-atomic = "warning"\n'
    )
    settings = load_settings(tree)
    assert settings.builds == (user.parent / "b",)
    (tree / ".ctxlint.toml").write_text(
        'arch = "riscv"\n[severity]\nrt-sleep-in-atomic = "error"\n'
    )
    settings = load_settings(tree)
    assert settings.arch == "riscv" and settings.fail_on == "error"
    assert settings.builds == ()  # those were of the user's architecture
    assert settings.severity == {"sleep-in-atomic": "warning", "rt-sleep-in-atomic": "error"}
    main(["audit", "--arch", "x86_64"])
    (request,) = fake.requests
    assert (request.arch, request.libclang) == ("x86_64", str(user.parent / "own.so"))


@pytest.mark.parametrize(
    "line",
    [
        "jobs = -5",
        "jobs = 100000",
        f"jobs = {'9' * 400}",
        "timeout = -1",
        "timeout = 0",
        "timeout = nan",
        "timeout = inf",
        "timeout = -inf",
        "reach = 99999",
        "reach = -1",
        f"reach = {'9' * 5000}",
    ],
)
def test_limits_hold_for_files(
    line: str,
    fake: Fake,
    tree: Path,
    user: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    user.write_text(line + "\n")
    assert main(["audit"]) == 2
    assert fake.requests == []
    assert str(user) in capsys.readouterr().err
    user.unlink()
    (tree / ".ctxlint.toml").write_text(line + "\n")
    assert main(["audit"]) == 2


@pytest.mark.parametrize("options", ["-j -1", "-j 100000", "--timeout nan", "--timeout inf"])
def test_limits_of_the_command_line(options: str, fake: Fake, tree: Path) -> None:
    assert main(f"audit {options}".split()) == 2
    assert fake.requests == []


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "a = " + "[" * 5000 + "]" * 5000,
        "a = " + "{a=" * 5000,
        "[" + "a." * 5000 + "a]",
        "paths = ['a\\u0000b']\n",
        'paths = ["a\\u0000b"]\n',
        '"\\u001b[2J" = 1\n',
        'arch = "../../x"\n',
        "[severity]\nx = [1]\n",
        "[[severity]]\n",
        "paths = 1979-05-27\n",
        "[tool]\nctxlint = 1\n",
        "\ufeffarch = 1",
        "a = 1\na = 2\n",
        "x" * (MAX_BYTES + 1),
    ],
)
@pytest.mark.parametrize("file", [".ctxlint.toml", "pyproject.toml", "the user's"])
def test_hostile_toml(
    text: str,
    file: str,
    tree: Path,
    user: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line and exit code 2, or no effect; no traceback."""
    if file == "pyproject.toml" and "[" not in text[:1]:
        text = "[tool.ctxlint]\n" + text
    (user if file.startswith("the") else tree / file).write_text(text)
    code = main(["audit", "--cache", str(tree.parent / "cache")])
    said = capsys.readouterr().err
    assert "Traceback" not in said and "\x1b" not in said
    assert code in (0, 2)
    told = [line for line in said.splitlines() if not line.startswith("ctxlint: auditing ")]
    assert code == 0 or told[0].startswith("ctxlint: error: ")
    assert not (tree.parent / "cache").exists() or not list(tree.parent.glob("cache/builds/*"))


def test_a_settings_file_that_nobody_writes_to(
    tree: Path,
    user: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    os.mkfifo(tree / ".ctxlint.toml")
    assert main(["audit"]) == 2
    assert "FIFO" in capsys.readouterr().err
    (tree / ".ctxlint.toml").unlink()
    os.mkfifo(user)
    assert main(["audit"]) == 2
    user.unlink()
    user.mkdir()
    assert main(["audit"]) == 2


def test_a_baseline_without_an_end(
    fake: Fake,
    tree: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    os.mkfifo(tree / "fifo")
    (tree / ".ctxlint.toml").write_text('baseline = "fifo"\n')
    assert main(["audit"]) == 2
    assert main(["audit", "--baseline", "/dev/zero"]) == 2
    assert "larger than 64 MiB" in capsys.readouterr().err
    (tree / ".ctxlint.toml").unlink()
    (tree / ".ctxlint-baseline").symlink_to("/dev/zero")
    assert main(["audit"]) == 2
    assert main(["audit", "--no-baseline"]) == 0


def test_every_command_refuses(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All that look at a tree read the same settings."""
    (tree / ".ctxlint.toml").write_text('libclang = "evil.so"\n')
    lines = {
        "audit": [],
        "hook": ["run", "--cold", "build"],
        "patch": ["x.mbox"],
        "prepare": [],
        "baseline": ["create"],
        "why": ["f"],
        "graph": ["f"],
        "splat": ["/dev/null", "--tree", "."],
    }
    for name in COMMANDS:
        if name in lines and name != "hook":  # which needs a repository
            assert main([name, *lines[name]]) == 2, name
            assert "'libclang' must not be set" in capsys.readouterr().err, name


# -- what a tree hides is told -----------------------------------------------------------


def test_what_the_tree_hides_is_told(
    fake: Fake,
    tree: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake.answer = result(FINDING)
    said = "1 finding hidden by .ctxlint.toml (ignore)"
    (tree / ".ctxlint.toml").write_text('ignore = ["sleep-in-atomic"]\n')
    for style in ("text", "json", "sarif", "html", "github", "gitlab"):
        assert main(["audit", "-f", style]) == 0
        assert said in " ".join(capsys.readouterr().out.split()), style
    assert main(["audit", "--ignore", "sleep-in-atomic"]) == 0
    assert "hidden by" not in capsys.readouterr().out


def test_an_exit_code_that_the_tree_decides_is_told(
    fake: Fake,
    tree: Path,
    user: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake.answer = result(FINDING)
    (tree / ".ctxlint.toml").write_text('fail-on = "never"\n')
    said = 'the exit code is 0, not 1: fail-on = "never" in .ctxlint.toml'
    for style in ("text", "json", "sarif", "html", "github", "gitlab"):
        assert main(["audit", "-f", style]) == 0
        out = " ".join(capsys.readouterr().out.split())
        assert said in out.replace('\\"', '"').replace("&#34;", '"'), style
    assert main(["audit", "--fail-on", "warning"]) == 1
    assert "exit code" not in capsys.readouterr().out
    user.write_text('fail-on = "never"\n')
    assert main(["audit"]) == 0
    assert "exit code" not in capsys.readouterr().out


def test_a_severity_that_the_tree_lowers_is_told(
    fake: Fake,
    tree: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake.answer = result(FINDING)
    (tree / ".ctxlint.toml").write_text('severity = { sleep-in-atomic = "warning" }\n')
    assert main(["audit", "--fail-on", "error"]) == 0
    assert "1 finding is a warning and no error by .ctxlint.toml" in capsys.readouterr().out


def test_the_page_on_security_names_every_key() -> None:
    text = (Path(__file__).parents[2] / "docs/security.md").read_text(encoding="utf-8")
    from ctxlint.cli.settings import KEYS

    assert set(re.findall(r"`([a-z-]+)`", text)) >= set(KEYS)


# -- files of a tree that are none -------------------------------------------------------


@pytest.mark.parametrize("name", ["scripts/Makefile.clang", "arch/arm64/Kconfig", ".config"])
def test_a_device_in_the_tree(name: str, tmp_path: Path) -> None:
    """git can carry a link to one; it has no end."""
    root = tmp_path / "linux"
    (root / "arch/arm64").mkdir(parents=True)
    (root / "scripts").mkdir()
    (root / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\n")
    (root / "arch/arm64/Makefile").touch()
    (root / "a.c").write_text("int a;\n")
    (root / name).symlink_to("/dev/zero")
    words = ["audit", "a.c", "--tree", str(root), "--no-make", "--rt"]
    assert main([*words, "--cache", str(tmp_path / "cache")]) == 2


def test_sources_that_are_devices(tmp_path: Path) -> None:
    root = tmp_path / "linux"
    root.mkdir()
    (root / "a.c").symlink_to("/dev/zero")
    os.mkfifo(root / "b.c")
    tree = Tree(path=root, version="6")
    assert included_c_files(tree, ["a.c", "b.c"]) == set()
    read = text_reader(root)
    assert read("a.c") is None and read("b.c") is None and read("c.c") is None
    os.mkfifo(root / "Makefile")
    with pytest.raises(TreeError):
        find_tree(root)


@pytest.mark.parametrize("arch", ["../tools", "arm64/../arm64", "", ".", "Arm64", "arm64\n"])
def test_an_architecture_is_a_name(arch: str, tmp_path: Path) -> None:
    (tmp_path / "arch/arm64").mkdir(parents=True)
    (tmp_path / "tools").mkdir()
    for folder in "arch", "arch/arm64", "tools":
        (tmp_path / folder / "Makefile").touch()
    with pytest.raises(UsageError):
        arches.check(tmp_path, arch)


def test_a_log_without_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["splat", "/dev/zero"]) == 2
    assert "larger than 256 MiB" in capsys.readouterr().err


def test_lists_have_an_end(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text in (f"paths = {['a'] * 1001}", f"builds = {['.'] * 17}"):
        (tree / ".ctxlint.toml").write_text(text)
        assert main(["audit"]) == 2
        assert "items" in capsys.readouterr().err


def test_a_long_name_is_not_printed_in_full(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tree / ".ctxlint.toml").write_text(f'ignore = ["{"x" * 200_000}"]')
    assert main(["audit"]) == 2
    told = capsys.readouterr().err
    assert "no check is called" in told and len(told) < 10_000


def test_a_user_without_a_home(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    for name in "XDG_CACHE_HOME", "XDG_CONFIG_HOME":
        monkeypatch.delenv(name, raising=False)
    assert main(["audit"]) == 2
    assert "--cache" in capsys.readouterr().err
