# SPDX-License-Identifier: GPL-2.0-or-later
"""The documents: links lead somewhere, commands and keys in them exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from types import ModuleType

import click
import pytest
import yaml
from click.exceptions import NoArgsIsHelpError

from ctxlint import __version__
from ctxlint.checks import base as checks
from ctxlint.cli.main import cli
from ctxlint.cli.selecting import make_choice
from ctxlint.cli.settings import load_settings
from ctxlint.findings import suppressions
from ctxlint.frontend.model_functions import lower_models
from ctxlint.rulebook import load
from ctxlint.simulator.runtime.library import model_texts

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("docs/*/index.md"),
        *ROOT.glob("docs/checks/*.md"),
        ROOT / "fixtures/README.md",
    ]
)
SOURCES = sorted(
    path
    for name in ("ctxlint", "tests", "rules", "fixtures", "docs", "tools", "bench", ".ci")
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
def test_commands_exist(path: Path, tmp_path: Path) -> None:
    """Examples are whole command lines; in running text a command may stand alone."""
    pieces = path.read_text(encoding="utf-8").split("```")
    said = re.findall(r"`(ctxlint [a-z][^`]*)`", "\n".join(pieces[::2]))
    shown = re.findall(
        r"^(?:.*[|=] *)?(ctxlint [a-z][^#\n]*)", "\n".join(pieces[1::2]), re.MULTILINE
    )
    for line in [*said, *shown]:
        line = re.split(r" (?:\|\|?|&&|>|;) ?", line.rstrip("\\"))[0]
        words = shlex.split(line.replace("~", str(tmp_path)))[1:]
        for word in words:
            if word.startswith(str(tmp_path)) and not Path(word).suffix:
                Path(word).mkdir(parents=True, exist_ok=True)
        try:
            parsed(cli, "ctxlint", words)
        except (click.MissingParameter, click.BadOptionUsage, NoArgsIsHelpError):
            assert line in said, line


def parsed(command: click.Command, name: str, words: list[str]) -> None:
    """Parse a command line as the program would, but run nothing."""
    context = command.make_context(name, list(words), resilient_parsing=False)
    if isinstance(command, click.Group):
        # Click keeps the words after a group's options to itself; so does its next step.
        found = next((n for n in words if not n.startswith("-")), "")
        below = command.get_command(context, found)
        assert below is not None, f"{name} {' '.join(words)}"
        parsed(below, found, words[words.index(found) + 1 :])


def test_a_wrong_command_line_is_noticed() -> None:
    for line in ("audit --no-such", "no-such", "explain a b", "patch --format no-such x"):
        with pytest.raises((AssertionError, click.UsageError)):
            parsed(cli, "ctxlint", line.split())


def test_configuration_in_the_readme(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)
    (tmp_path / ".ctxlint.toml").write_text(example)
    assert load_settings(tmp_path).arch == "arm64"


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_examples_parse(path: Path, tmp_path: Path) -> None:
    """TOML is read as the configuration file it shows, YAML as YAML."""
    text = path.read_text(encoding="utf-8")
    for number, example in enumerate(re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / ".ctxlint.toml").write_text(example)
        settings = load_settings(folder)
        choice = make_choice({}, settings, folder)
        assert choice.fail_on == "error"
    for example in re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL):
        assert yaml.safe_load(example)


def test_rules_in_the_documents(tmp_path: Path) -> None:
    """The example rules are taken as rules of the user, and mean what the text says."""
    text = (ROOT / "docs/writing-rules.md").read_text(encoding="utf-8")
    for number, example in enumerate(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)):
        if example.startswith("FROB_"):
            (tmp_path / "constants.yaml").write_text(example)
            continue
        folder = tmp_path / ("apis" if "apis:" in example else "entry_points")
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.yaml").write_text(example)
    book = load((tmp_path,))
    assert [case.level for case in book.apis["frob_wait"].cases(True)] == ["sleep", "config"]
    assert book.apis["frob_idle"].cases(True) == ()
    assert [str(c.context) for c in book.fields["frob_ops", "start"].contexts] == ["raw-locked"]
    assert "frob_on_event" in book.registrations


@pytest.mark.slow
def test_the_model_function_in_the_documents() -> None:
    """It is lowered beside the bundled ones."""
    text = (ROOT / "docs/writing-rules.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```c\n(.*?)```", text, flags=re.DOTALL)
    models = lower_models({**model_texts(), "frob.c": example})
    (found,) = [f for f in models.functions if f.name == "frob_wait"]
    assert found.file == "rules/models/frob.c"


def test_the_rule_of_contributing_is_a_whole_file(tmp_path: Path) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    (tmp_path / "frob.yaml").write_text(example)
    book = load((tmp_path / "frob.yaml",))
    assert [case.level for case in book.apis["frob_wait"].cases(True)] == ["sleep"]


def test_the_check_of_contributing_is_complete() -> None:
    """And can be added together with that of the walk-through."""
    found = []
    for page, name in (
        ("CONTRIBUTING.md", "bad_thing"),
        ("docs/walk-through.md", "wait_in_interrupt"),
    ):
        text = (ROOT / page).read_text(encoding="utf-8")
        (example,) = re.findall(r"^(`{3,})python\n(.*?)^\1$", text, flags=re.DOTALL | re.M)
        module = ModuleType(name)
        exec(compile(example[1], page, "exec"), vars(module))
        found.append(checks._check_of(module))
    assert len(checks.distinct((*checks.checks(), *found))) == len(checks.checks()) + 2


def test_suppression_in_the_documents() -> None:
    """The example stands where the text says that it counts."""
    text = (ROOT / "docs/suppressing.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```c\n(.*?)```", text, flags=re.DOTALL)
    (comment,) = suppressions.of_text("a.c", f"void f(void)\n{{\n{example}}}\n")
    assert (comment.problem, comment.scope, comment.first) == ("", "call", 5)


def test_make_targets_in_the_readme() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_the_change_log_begins_with_this_version() -> None:
    """And so does what a user copies into a configuration."""
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert first is not None and first[1] == __version__
    rev = re.search(r"^  rev: v(\S+)$", (ROOT / "docs/hooks.md").read_text(), re.M)
    assert rev is not None and rev[1] == __version__


def test_every_source_names_its_licence() -> None:
    bare = [
        relative(path)
        for path in SOURCES
        if "SPDX-License-Identifier: GPL-2.0-or-later"
        not in path.read_text(encoding="utf-8", errors="replace")[:300]
    ]
    assert bare == []


def tables_of(page: str, *headings: str) -> list[str]:
    """The places in code (``path`` or ``path:name``) that the tables under some headings
    of a page name."""
    text = (ROOT / page).read_text(encoding="utf-8")
    bodies = [
        re.split(r"^## ", text.partition(f"\n## {h}\n")[2], flags=re.M)[0] for h in headings
    ]
    return re.findall(r"`((?:ctxlint|rules|tests|fixtures)/[^`]+)`", "\n".join(bodies))


@pytest.mark.parametrize("place", tables_of("docs/architecture.md", "Where to find", "Words"))
def test_places_exist(place: str) -> None:
    path, _, name = place.partition(":")
    assert (ROOT / path).is_dir() if path.endswith("/") else (ROOT / path).is_file()
    if name:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^(?:class|def) {name}\b|^{name}\b.*=", text, re.MULTILINE), place


def test_newcomers_questions_are_answered() -> None:
    """The tables are read: they are what the test above goes through."""
    places = tables_of("docs/architecture.md", "Where to find")
    assert len(places) > 20
    assert {"rules/entry_points/", "ctxlint/cli/main.py:exit_code_of"} <= set(places)
