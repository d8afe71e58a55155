# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint report``: a saved result becomes every format again."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from warm_cache import warmed

from ctxlint.cli.main import main
from ctxlint.cli.page import tree_reader
from ctxlint.pipeline import Request, audit

MINIATURE = Path(__file__).parents[2] / "fixtures" / "tree"


class Quiet:
    def start(self, stage: str, total: int) -> None: ...
    def advance(self, stage: str, text: str = "") -> None: ...
    def finish(self, stage: str) -> None: ...
    def log(self, level: Any, message: str) -> None: ...


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result of a real audit of one file of the miniature tree."""
    from ctxlint.report import json_report

    folder = tmp_path_factory.mktemp("saved")
    request = Request(
        tree=MINIATURE,
        paths=("drivers/irqchip/irq-snail.c",),
        builds=(MINIATURE / "builds" / "rt",),
        cache=warmed(folder / "cache"),
        reach=0,
    )
    result = audit(request, Quiet())
    assert result.findings
    file = folder / "result.json"
    file.write_text(json_report.render(result), encoding="utf-8")
    return file


def test_json_comes_back_to_the_byte(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(saved), "--format", "json"]) == 1
    assert capsys.readouterr().out == saved.read_text(encoding="utf-8")


def test_every_format(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = json.loads(saved.read_text(encoding="utf-8"))["findings"][0]["message"]
    assert main(["report", str(saved)]) == 1
    what, _, where = message.partition(", called ")
    out = " ".join(capsys.readouterr().out.split())
    assert f" error: {what} [" in out and f" called {where}" in out
    assert main(["report", str(saved), "-f", "concise"]) == 1
    assert f" error: {what}, " in capsys.readouterr().out
    assert main(["report", str(saved), "-f", "sarif"]) == 1
    sarif = json.loads(capsys.readouterr().out)
    assert sarif["version"] == "2.1.0" and sarif["runs"][0]["results"]
    assert main(["report", str(saved), "-f", "sarif", "--tree", str(MINIATURE)]) == 1
    assert main(["report", str(saved), "-f", "html"]) == 1


def test_standard_input(
    saved: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(saved.read_bytes()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main(["report", "-"]) == 1
    assert "irq-snail.c" in capsys.readouterr().out


def test_html_quotes_the_tree_it_is_given(saved: Path, tmp_path: Path) -> None:
    finding = json.loads(saved.read_text(encoding="utf-8"))["findings"][0]
    lines = (MINIATURE / finding["file"]).read_text(encoding="utf-8").splitlines()
    number = finding["line"] - 1
    while not lines[number - 1].strip():
        number -= 1
    before = f"<i>{number}</i>"
    out = tmp_path / "report.html"
    main(["report", str(saved), "-f", "html", "--tree", str(MINIATURE), "-o", str(out)])
    assert before in out.read_text(encoding="utf-8")
    main(["report", str(saved), "-f", "html", "-o", str(out)])
    assert before not in out.read_text(encoding="utf-8")


def test_exit_code_of_an_incomplete_run(saved: Path, tmp_path: Path) -> None:
    data = json.loads(saved.read_text(encoding="utf-8"))
    data["incomplete"] = [{"file": "a.c", "profile": "p", "reason": "timed out"}]
    (tmp_path / "r.json").write_text(json.dumps(data), encoding="utf-8")
    assert main(["report", str(tmp_path / "r.json")]) == 3
    data["incomplete"], data["findings"] = [], []
    (tmp_path / "r.json").write_text(json.dumps(data), encoding="utf-8")
    assert main(["report", str(tmp_path / "r.json")]) == 0


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe\x00", b"\x00", b"[" * 100_000, b'{"tool": 1}',
        b"1" * 5000, b'"\\ud800"', b"{\"findings\": [{}]}",
    ],
)  # fmt: skip
def test_bad_files(data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bad.json"
    file.write_bytes(data)
    for style in ("text", "html"):
        assert main(["report", str(file), "-f", style]) == 2
        said = capsys.readouterr()
        assert said.err.startswith("ctxlint: error: not a saved ctxlint result")
        assert "hint:" in said.err and "Traceback" not in said.err and said.out == ""


def test_missing_file_and_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path / "none.json")]) == 2
    assert main(["report", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("ctxlint: error:") == 2


def test_a_file_that_does_not_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctxlint.cli.report.MAX_BYTES", 1000)
    assert main(["report", "/dev/zero"]) == 2
    assert "larger than" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["report", "audit"])
def test_link_template_is_checked_first(
    command: str, saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(saved), "--source-url", "javascript:{file}"]) == 2
    assert "link template" in capsys.readouterr().err


def test_no_file_outside_of_the_tree_is_quoted(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tmp_path / "secret").write_text("secret\n", encoding="utf-8")
    (tree / "own.c").write_text("own\n", encoding="utf-8")
    (tree / "link.c").symlink_to(tmp_path / "secret")
    read = tree_reader(tree)
    assert read("own.c", 1) == "own"
    for file in ("../secret", "link.c", str(tmp_path / "secret"), "a/../../secret", "", ".",
                 "own.c/x", "\x00", "x" * 5000):  # fmt: skip
        assert read(file, 1) == ""
