# SPDX-License-Identifier: GPL-2.0-or-later
"""The fixtures, run in the model: no true finding is refuted."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from fixture_harness import BELOW, all_sources, audited, verdicts_wanted
from once import once
from warm_cache import with_models

from ctxlint import pipeline
from ctxlint.base.request import Quiet
from ctxlint.findings.expectations import BUILDS, expectations, seen
from ctxlint.findings.model import Result

SOURCES = all_sources()
WORDS = {
    "bounds": "not reproduced within bounds",
    "confirmed": "confirmed",
    "reached": "reached",
    "refuted": "refuted",
    "unmodelled": "unmodelled",
}
WITH_VERDICTS = [name for name, text in SOURCES.items() if verdicts_wanted(text, name)]


@pytest.fixture(scope="module")
def result() -> Result:
    """One audit of all fixtures, each finding run; the units are read already."""

    def make(root: Path) -> None:
        read, _ = audited()
        shutil.copytree(read / "cache", root / "cache")
        with_models(root / "cache")
        request = pipeline.Request(
            tree=read / "tree",
            builds=tuple(read / "tree/builds" / name for name in BUILDS),
            paths=(BELOW,),
            cache=root / "cache",
            jobs=1,
            verify=True,
        )
        told = pipeline.audit(request, Quiet())
        (root / "result").write_bytes(msgspec.msgpack.encode(told))

    root = once("verdicts", make)
    return msgspec.msgpack.decode((root / "result").read_bytes(), type=Result)


def test_what_is_expected_is_never_refuted(result: Result) -> None:
    wanted = {
        (f"{BELOW}/{name}", item.line, item.check, build)
        for name, text in SOURCES.items()
        for item in expectations(text, name)
        if item.kind == "expect"
        for build in item.builds
    }
    may_be = {
        (f"{BELOW}/{name}", item.line)
        for name in WITH_VERDICTS
        for item in verdicts_wanted(SOURCES[name], name)
        if "refuted" in item.words
    }
    build = {profile.name: "rt" if profile.rt else "nort" for profile in result.profiles}
    refuted = {
        (finding.file, finding.line, finding.check, build[evidence.profile])
        for finding in result.findings
        for evidence in finding.evidence
        if evidence.verdict == "refuted" and (finding.file, finding.line) not in may_be
    }
    assert wanted <= seen(result)
    assert not wanted & refuted, sorted(wanted & refuted)


@pytest.mark.parametrize("name", WITH_VERDICTS)
def test_verdicts(name: str, result: Result) -> None:
    """Each verdict is the one that the fixture says."""
    file = f"{BELOW}/{name}"
    build = {profile.name: "rt" if profile.rt else "nort" for profile in result.profiles}
    got: dict[tuple[int, str], list[str]] = {}
    for finding in result.findings:
        if finding.file == file:
            for evidence in finding.evidence:
                why = f"{evidence.verdict}: {evidence.why}"
                got.setdefault((finding.line, build[evidence.profile]), []).append(why)
    problems = []
    for item in verdicts_wanted(SOURCES[name], name):
        words = tuple(WORDS[word] for word in item.words)
        for each in item.builds:
            verdicts = got.get((item.line, each), ["no finding"])
            if not any(verdict.partition(":")[0] in words for verdict in verdicts):
                problems.append(f"{name}:{item.line} [{each}]: {verdicts[0]}")
    assert not problems, "\n" + "\n".join(problems)
