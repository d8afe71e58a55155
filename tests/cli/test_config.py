# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: F811 (fixtures of another module)
"""``ctxlint config show``: what it says is what an audit goes by."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from test_cli import Fake, fake, tree  # noqa: F401

from ctxlint.cli.main import main
from ctxlint.cli.settings import KEYS


def shown(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    code = main(["config", "show", "--format", "json", *options])
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert code == (2 if data["refused"] else 0)
    return data


def test_defaults(fake: Fake, tree: Path, user: Path, capsys: Any) -> None:
    data = shown(capsys)
    assert data["files"] == {"tree": None, "user": None}
    assert set(data["settings"]) == set(KEYS)
    assert {(*one["places"], one["why"]) for one in data["settings"].values()} == {("default",)}
    main(["audit"])
    (request,) = fake.requests
    assert data["settings"]["timeout"]["value"] == request.timeout
    assert data["settings"]["rt"]["value"] == request.rt == "both"


def test_each_with_its_file_and_line(tree: Path, user: Path, capsys: Any) -> None:
    user.write_text(
        'jobs = 3\narch = "arm"\nbuilds = ["b"]\n\n[severity]\nsleep-in-atomic = "warning"\n'
    )
    own = tree / ".ctxlint.toml"
    own.write_text(
        '# ours\narch = "riscv"\n"fail-on" = "error"\n'
        '[severity]\nrt-sleep-in-atomic = "error"\n[[per-path]]\npaths = ["a", "b"]\n'
    )
    data = shown(capsys)
    assert data["files"] == {"tree": str(own), "user": str(user)}
    found = {k: (v["value"], v["places"]) for k, v in data["settings"].items() if v["places"]}
    assert found == {
        "jobs": (3, [f"{user}:1"]),
        "arch": ("riscv", [f"{own}:2"]),
        "fail-on": ("error", [f"{own}:3"]),
        "severity": (
            {"sleep-in-atomic": "warning", "rt-sleep-in-atomic": "error"},
            [f"{user}:5", f"{own}:4"],
        ),
        "per-path": (
            [{"paths": ["a", "b"], "ignore": [], "severity": {}}],
            [f"{own}:6"],
        ),
    }
    assert data["settings"]["builds"] == {
        "value": [],
        "places": [],
        "why": "of another target",
    }


def test_what_is_there_without_being_said(
    tree: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "arch/arm/kernel").mkdir(parents=True)
    (tree / ".config").write_text("CONFIG_ARM=y\n")
    (tree / ".ctxlint-baseline").write_text("")
    monkeypatch.chdir(tree / "drivers/perf")
    settings = shown(capsys)["settings"]
    assert settings["paths"]["value"] == ["drivers/perf"]
    assert settings["paths"]["why"] == "current directory"
    assert settings["config"]["value"] == str(tree / ".config")
    assert settings["config"]["why"] == "found in the tree"
    assert (settings["arch"]["value"], settings["arch"]["why"]) == ("arm", "by its .config")
    assert settings["baseline"]["value"] == str(tree / ".ctxlint-baseline")


def test_build_directories_say_the_target(tree: Path, user: Path, capsys: Any) -> None:
    user.write_text('builds = ["b"]\narch = "arm"\n')
    settings = shown(capsys)["settings"]
    assert settings["builds"]["value"] == [str(user.parent / "b")]
    assert settings["arch"]["why"] == settings["config"]["why"] == "not used, see builds"


def test_what_the_tree_must_not_say(tree: Path, user: Path, capsys: Any) -> None:
    """It is not taken, and everything else is shown all the same."""
    own = tree / ".ctxlint.toml"
    own.write_text('cache = "c"\narch = "arm"\nbuilds = ["../x"]\nconfig = "a/b"\n')
    data = shown(capsys)
    assert [one["key"] for one in data["refused"]] == ["cache", "builds", "config"]
    assert data["refused"][1]["message"].startswith(f"{own}:3: 'builds' ")
    assert data["settings"]["arch"]["value"] == "arm"
    assert data["settings"]["cache"]["value"] != "c"
    assert data["settings"]["config"]["value"] == "defconfig"
    assert main(["audit"]) == 2
    assert data["refused"][0]["message"] in capsys.readouterr().err


def test_text(tree: Path, user: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(user.parents[1]))
    user.write_text(f'rules = ["{"r" * 50}"]\nselect = ["sleep-in-atomic"]\ntimeout = 2.5\n')
    (tree / ".ctxlint.toml").write_text(
        'paths = ["drivers/irqchip", "drivers/perf"]\njobs = 1\n'
        '[[per-path]]\npaths = ["d"]\nignore = ["a"]\n[[per-path]]\npaths = ["e"]\n'
        'severity = { sleep-in-atomic = "warning" }\n'
    )
    assert main(["config", "show"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    words = [" ".join(line.split()) for line in lines]
    assert "paths drivers/irqchip .ctxlint.toml:1" in words and "drivers/perf" in words
    assert "select sleep-in-atomic ~/ctxlint/config.toml:2" in words
    assert "timeout 2.5 ~/ctxlint/config.toml:3" in words
    assert words[words.index(f"rules ~/ctxlint/{'r' * 50}") + 1] == "~/ctxlint/config.toml:1"
    assert "per-path d: not a .ctxlint.toml:3" in words
    assert "e: sleep-in-atomic = warning" in words
    assert ".ctxlint.toml:2: 'jobs' must not be set by a file of the tree" in words
    for key in KEYS:
        assert sum(bool(re.match(rf"{key} ", line)) for line in lines) == 1


def test_errors_of_a_file_are_those_of_every_command(tree: Path, capsys: Any) -> None:
    (tree / ".ctxlint.toml").write_text('archh = "arm"\n')
    assert main(["config", "show"]) == 2
    assert ".ctxlint.toml:1: unknown key 'archh'" in capsys.readouterr().err
