# SPDX-License-Identifier: GPL-2.0-or-later
"""The baseline's file: order, merges by git, reasons, comments, stale entries."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxlint.base.errors import UsageError
from ctxlint.findings import baseline
from ctxlint.findings.baseline import Baseline
from ctxlint.findings.model import BaselineEntry


def entry(number: int, **changes: str) -> BaselineEntry:
    made = BaselineEntry(
        check="sleep-in-atomic",
        file=f"drivers/d{number}.c",
        function="f",
        callee="mutex_lock",
        operation="mutex",
        fingerprint=f"{number:032x}",
    )
    return msgspec.structs.replace(made, **changes)


def render(*entries: BaselineEntry) -> str:
    return baseline.render(Baseline(entries=entries))


def entries_of(text: str) -> set[BaselineEntry]:
    return set(baseline.parse(text, "b").entries)


def test_one_sorted_line_an_entry() -> None:
    text = render(entry(2), entry(1, reason="as it is"))
    assert text == render(entry(1, reason="as it is"), entry(2))
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines == sorted(lines)
    assert lines[0] == (f"sleep-in-atomic drivers/d1.c f mutex_lock mutex {1:032x} as it is")


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(
    st.builds(
        BaselineEntry,
        check=names,
        file=names,
        function=names,
        callee=names,
        operation=names,
        fingerprint=st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
        reason=st.from_regex(r"|[a-z#<=][a-z #%<>=]{0,10}[a-z]", fullmatch=True).map(
            lambda text: " ".join(text.split())
        ),
    )
)
def test_every_entry_survives(made: BaselineEntry) -> None:
    text = render(made)
    assert entries_of(text) == {made}
    assert baseline.render(baseline.parse(text, "b")) == text
    assert len([line for line in text.splitlines() if not line.startswith("# ")]) == 1


def test_comments_stay_where_they_are() -> None:
    text = render(entry(1), entry(3)).replace(
        "sleep-in-atomic drivers/d3", "# of 3\nsleep-in-atomic drivers/d3"
    )
    text = text.replace("# Write", "# Ours.\n# Write") + "# the end\n"
    read = baseline.parse(text, "b")
    assert baseline.render(read) == text
    more = baseline.updated(read, [], [entry(1)])
    again = baseline.render(with_more(more, entry(2)))
    assert again.index("# Ours.") < again.index("drivers/d2") < again.index("# of 3\n")
    assert again.endswith("# the end\n")
    assert "# of 3" not in baseline.render(baseline.updated(read, [], [entry(3)]))


def with_more(old: Baseline, *more: BaselineEntry) -> Baseline:
    return Baseline(
        entries=(*old.entries, *more), notes=old.notes, head=old.head, tail=old.tail
    )


def test_a_comment_above_the_first_entry_is_its_own() -> None:
    text = render(entry(1)).replace("sleep-in", "# of 1\nsleep-in")
    assert baseline.parse(text, "b").notes == {entry(1).fingerprint: ("# of 1",)}


def test_two_lines_of_one_finding_are_one() -> None:
    """What a union of two branches makes; a reason wins."""
    text = render(entry(1)) + render(entry(1, reason="why")) + render(entry(1, reason="late"))
    assert entries_of(text) == {entry(1, reason="why")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<<<<<<< HEAD\n", "b:1: an unresolved merge conflict"),
        ("\n=======\n", "b:2: an unresolved merge conflict"),
        ("sleep-in-atomic a.c f\n", "b:1: not a baseline entry"),
        ("a b c d e xyz reason\n", "b:1: not a baseline entry"),
        ("# ctxlint baseline 2, fingerprints ctxlint/v1\n", "another version"),
        ("# ctxlint baseline 1, fingerprints ctxlint/v0\n", "another version"),
    ],
)
def test_other_files_are_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        baseline.parse(text, "b")
    assert caught.value.hint


def test_stale_only_where_it_was_judged() -> None:
    known = Baseline(entries=(entry(2), entry(1)))
    assert baseline.stale_of(known, [], lambda check, file: True) == (entry(1), entry(2))
    assert baseline.stale_of(known, [], lambda check, file: file == "drivers/d2.c") == (
        entry(2),
    )


def git(*words: str, cwd: Path) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=n", "-c", "user.email=e@example.org", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_git_merges_two_branches(tmp_path: Path) -> None:
    """One adds entries, the other removes one, adds one and writes a reason."""
    file = tmp_path / "baseline"
    numbers = range(10, 90, 10)
    git("init", "-q", "-b", "one", cwd=tmp_path)
    file.write_text(render(*map(entry, numbers)))
    git("add", "baseline", cwd=tmp_path)
    git("commit", "-q", "-m", "base", cwd=tmp_path)
    git("switch", "-q", "-c", "two", cwd=tmp_path)
    file.write_text(
        render(
            *(entry(n, reason="why" if n == 70 else "") for n in numbers if n != 50), entry(85)
        )
    )
    git("commit", "-q", "-a", "-m", "two", cwd=tmp_path)
    git("switch", "-q", "one", cwd=tmp_path)
    file.write_text(render(*map(entry, numbers), entry(15), entry(35)))
    git("commit", "-q", "-a", "-m", "one", cwd=tmp_path)
    git("merge", "-q", "two", cwd=tmp_path)
    wanted = {entry(n, reason="why" if n == 70 else "") for n in numbers if n != 50}
    assert entries_of(file.read_text()) == wanted | {entry(85), entry(15), entry(35)}


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_union_of_neighbours_is_a_baseline(tmp_path: Path) -> None:
    """With merge=union git keeps both sides where it would see a conflict."""
    file = tmp_path / "baseline"
    git("init", "-q", "-b", "one", cwd=tmp_path)
    (tmp_path / ".gitattributes").write_text("baseline merge=union\n")
    file.write_text(render(entry(10), entry(50)))
    git("add", "-A", cwd=tmp_path)
    git("commit", "-q", "-m", "base", cwd=tmp_path)
    git("switch", "-q", "-c", "two", cwd=tmp_path)
    file.write_text(render(entry(10), entry(30, reason="why"), entry(40), entry(50)))
    git("commit", "-q", "-a", "-m", "two", cwd=tmp_path)
    git("switch", "-q", "one", cwd=tmp_path)
    file.write_text(render(entry(10), entry(20), entry(30), entry(50)))
    git("commit", "-q", "-a", "-m", "one", cwd=tmp_path)
    git("merge", "-q", "two", cwd=tmp_path)
    wanted = {entry(n, reason="why" if n == 30 else "") for n in (10, 20, 30, 40, 50)}
    assert entries_of(file.read_text()) == wanted
    again = baseline.render(baseline.parse(file.read_text(), "b"))
    assert again == render(*wanted)


@given(st.text(st.sampled_from("# \nab0<=%-") | st.characters(exclude_categories=["Cs"])))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = baseline.parse(text, "b")
    except UsageError:
        return
    assert baseline.parse(baseline.render(read), "b").entries == read.entries


@pytest.mark.parametrize("mark", ["<<<<<<<", "=======", ">>>>>>>", "|||||||"])
def test_a_name_is_no_mark_of_a_merge_conflict(mark: str) -> None:
    assert not baseline._quoted(f"{mark} x.c").startswith(mark)
