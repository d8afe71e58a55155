# SPDX-License-Identifier: GPL-2.0-or-later
"""The documents: links lead somewhere, commands and keys in them exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from ctxlint.cli import config
from ctxlint.cli.main import cli
from ctxlint.cli.selecting import make_choice
from ctxlint.findings import suppressions

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "fixtures/README.md"])
SOURCES = sorted(
    path
    for name in ("ctxlint", "tests", "rules", "fixtures", "docs", ".ci")
    for path in (ROOT / name).rglob("*")
    if path.suffix in {".py", ".yaml", ".c", ".h", ".md", ".toml"} or path.name == "run"
)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_links(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_commands_exist(path: Path) -> None:
    pieces = path.read_text(encoding="utf-8").split("```")
    code = "\n".join(pieces[1::2] + re.findall(r"`([^`]+)`", "\n".join(pieces[::2])))
    for line in re.findall(r"^(ctxlint [a-z][^#\n]*)", code, flags=re.MULTILINE):
        words = shlex.split(line)[1:]
        command: click.Command = cli
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            found = command.get_command(click.Context(command), words.pop(0))
            assert found is not None, line
            command = found
        known = {name for item in command.params for name in (*item.opts, *item.secondary_opts)}
        for word in words:
            if word.startswith("-"):
                assert word in known, line


def test_configuration_in_the_readme(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)
    (tmp_path / ".ctxlint.toml").write_text(example)
    assert config.load_settings(tmp_path).arch == "arm64"


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_examples_parse(path: Path, tmp_path: Path) -> None:
    """TOML is read as the configuration file it shows, YAML as YAML."""
    text = path.read_text(encoding="utf-8")
    for number, example in enumerate(re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / ".ctxlint.toml").write_text(example)
        settings = config.load_settings(folder)
        choice = make_choice({}, settings, folder)
        assert choice.fail_on == "error"
    for example in re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL):
        assert yaml.safe_load(example)


def test_suppression_in_the_documents() -> None:
    """The example stands where the text says that it counts."""
    text = (ROOT / "docs/suppressing.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```c\n(.*?)```", text, flags=re.DOTALL)
    (comment,) = suppressions.of_text("a.c", f"void f(void)\n{{\n{example}}}\n")
    assert (comment.problem, comment.scope, comment.first) == ("", "call", 5)


def test_make_targets_in_the_readme() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_source_names_its_licence() -> None:
    bare = [
        relative(path)
        for path in SOURCES
        if "SPDX-License-Identifier: GPL-2.0-or-later"
        not in path.read_text(encoding="utf-8", errors="replace")[:300]
    ]
    assert bare == []
