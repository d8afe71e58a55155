# SPDX-License-Identifier: GPL-2.0-or-later
"""What ``git am`` applies is what is analysed, or else it is said.

git itself is the oracle: no mailbox may put a change into a tree that the checker did not
look at, without an error (exit code 2) or a sentence (exit code 3).
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings

from ctxlint.base.errors import CtxlintError
from ctxlint.patches import open_series
from ctxlint.patches.split import split

from .repository import ENVIRONMENT
from .strange_mail import FILES, boxes, new_file

WITHOUT_CHECKS = settings(suppress_health_check=HealthCheck, max_examples=30)


class Scratch:
    """A repository that ``git am`` works in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name, data in FILES.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
        self.git("init", "-q", "-b", "main", ".")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "base")
        self.base = self.git("rev-parse", "HEAD").stdout.decode().strip()

    def git(self, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["git", "-c", "gc.auto=0", *words], cwd=self.path, env=ENVIRONMENT, input=stdin,
            capture_output=True, check=False,
        )  # fmt: skip

    def after_am(self, data: bytes) -> dict[str, bytes | None] | None:
        """The files that ``git am`` changes; None when it does not get through."""
        try:
            if self.git("am", "--empty=drop", "-q", stdin=data).returncode:
                return None
            raw = self.git(
                "diff", "--name-only", "--no-renames", "-z", self.base, "HEAD"
            ).stdout
            names = [os.fsdecode(name) for name in raw.split(b"\0") if name]
            return {name: self._content(name) for name in names}
        finally:
            self.git("am", "--abort")
            self.git("reset", "-q", "--hard", self.base)

    def _content(self, name: str) -> bytes | None:
        done = self.git("show", f"HEAD:{name}")
        return None if done.returncode else done.stdout


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    return Scratch(tmp_path_factory.mktemp("scratch"))


def judged(scratch: Scratch, data: bytes) -> dict[str, bytes | None] | None:
    """The files that the checker sees changed; None when it says that there is more."""
    try:
        series = open_series("-", tree=scratch.path, base=scratch.base, stdin=data)
    except CtxlintError:
        return None
    if series.gaps:
        return None
    return {name: data for patch in series.patches for name, data in patch.contents.items()}


def compare(scratch: Scratch, data: bytes) -> None:
    seen = judged(scratch, data)
    if seen is None:
        return
    applied = scratch.after_am(data)
    for name, content in (applied or {}).items():
        if name.endswith(".gitattributes") or FILES.get(name) == content:
            continue
        assert name in seen, f"{name} was not looked at"
        if seen[name] != content:
            same = content is not None and content.replace(b"\r\n", b"\n") == seen[name]
            assert same, f"{name} was analysed as {seen[name]!r}"


def in_body(subject: str, data: bytes) -> bytes:
    return f"Subject: {subject}\n\n---\n".encode() + data


@WITHOUT_CHECKS
@example(
    b"From x 00:00:00 2020\n"
    + in_body("[PATCH 1/2] a", new_file("a1.c", "x"))
    + b"From x 00:00:00 2020\n"
    + in_body("Re: [PATCH 2/2] b", new_file("a2.c", "x"))
)
@example(
    b"From x 00:00:00 2020\nSubject: [PATCH] x\n\nText\nFrom y 00:00:00 2020\n"
    b"Subject: hidden\nContent-Transfer-Encoding: base64\n\n"
)
@given(boxes())
def test_no_change_is_hidden(scratch: Scratch, data: bytes) -> None:
    compare(scratch, data)


@pytest.mark.slow
@settings(WITHOUT_CHECKS, max_examples=400)
@given(boxes())
def test_no_change_is_hidden_at_length(scratch: Scratch, data: bytes) -> None:
    compare(scratch, data)


@settings(WITHOUT_CHECKS, max_examples=40)
@given(boxes())
def test_messages_are_divided_as_git_does(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("split")
    subprocess.run(
        ["git", "mailsplit", "-b", "--keep-cr", f"-o{folder}"],
        input=data, env=ENVIRONMENT, check=True, capture_output=True,
    )  # fmt: skip
    gits = [path.read_bytes() for path in sorted(folder.iterdir())]
    ours = split(data)
    assert ours == (gits or [b""])
