# SPDX-License-Identifier: GPL-2.0-or-later
"""How long verdicts take, against clang on the files of the findings. See README.md."""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]

from ctxlint import kbuild  # noqa: E402
from ctxlint.pipeline import Quiet, Request  # noqa: E402
from ctxlint.pipeline.collect import source_reader, with_others  # noqa: E402
from ctxlint.pipeline.profile import ProfileRun  # noqa: E402
from ctxlint.pipeline.session import Session  # noqa: E402
from ctxlint.pipeline.verify import verdict_of, verifier_of  # noqa: E402


def clang_seconds(tree: Path, command: kbuild.CompileCommand, compiler: str) -> float:
    """Processor time of ``-fsyntax-only`` with a unit's flags."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [compiler, *command.arguments, "-w", "-fsyntax-only", str(tree / command.file)],
        cwd=command.directory,
        check=True,
        capture_output=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(session: Session, profile: kbuild.Prepared, compiler: str) -> None:
    """Print a table for one profile."""
    quiet = Quiet()
    with session.open_store(quiet) as store:
        index = session.index(profile, store, quiet)
        whole = ProfileRun(session, profile, index, store, quiet)
        rules, program = whole.rules, whole.program
        run = whole.propagate(lambda _: None)
        found = with_others(
            run.violations,
            rules,
            profile.rt,
            profile.spec_name,
            source_reader(session.tree.path),
            whole.reported,
        )
        before = time.process_time()
        verifier = verifier_of(index, store, program, rules, profile, session.tree.version)
        linking = time.process_time() - before
        seconds = []
        for _, violations in found:
            before = time.process_time()
            verdict_of(violations, run.also, verifier, program, rules, profile.rt)
            seconds.append(time.process_time() - before)
    files = {finding.file for finding, _ in found}
    tree = session.tree.path
    clang = [clang_seconds(tree, c, compiler) for c in profile.commands if c.file in files]
    print(f"{profile.spec_name}: {len(seconds)} verdicts, linking {linking:.2f} s")
    if seconds and clang:
        median, unit = statistics.median(seconds), statistics.median(clang)
        print(f"  verdict   median {median:.3f} s  worst {max(seconds):.3f} s")
        print(f"  clang     median {unit:.3f} s a unit; ratio {median / unit:.2f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  memory    peak {peak:.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", default=["drivers/irqchip", "drivers/firmware"])
    parser.add_argument("--tree", type=Path, required=True)
    parser.add_argument("--config", default="defconfig")
    parser.add_argument("--clang", default="clang-19")
    options = parser.parse_args()
    request = Request(
        tree=options.tree, paths=tuple(options.paths), config=options.config, reach=0
    )
    session = Session.of(request)
    for profile in session.profiles(Quiet()):
        measure(session, profile, options.clang)


if __name__ == "__main__":
    main()
