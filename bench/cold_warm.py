# SPDX-License-Identifier: GPL-2.0-or-later
"""How long an audit takes, against clang on the same units. See README.md."""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/kernel_tree")]

from scratch import Overlay, clang  # noqa: E402

from ctxlint import kbuild  # noqa: E402

DEFAULT_PATHS = ("drivers/irqchip", "drivers/firmware")
EDITED = "drivers/irqchip/irq-gic-v3-its.c"
COLD_RATIO, EDIT_SHARE, WARM_SECONDS, HELP_SECONDS, MEMORY_MIB = 1.5, 0.05, 1.5, 0.3, 1536


@dataclass
class Measured:
    """Repeated measurements of one thing, in seconds or MiB."""

    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        return f"{self.median:9.2f} {min(self.values):9.2f} {max(self.values):9.2f}"


class Memory(threading.Thread):
    """Samples the resident memory of a process and all below it; ``peak`` in MiB.

    Pages that several processes share are counted in each, so it is an upper bound.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.peak = 0.0
        self._page = os.sysconf("SC_PAGE_SIZE") / (1 << 20)

    def run(self) -> None:
        while (now := self._resident(self.pid)) > 0:
            self.peak = max(self.peak, now)
            time.sleep(0.05)

    def _resident(self, pid: int) -> float:
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            children = [
                int(child)
                for task in Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text().split()
            ]
        except (OSError, IndexError):
            return 0.0
        return pages * self._page + sum(map(self._resident, children))


def processor() -> float:
    """Processor seconds of all processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


@dataclass(frozen=True)
class Bench:
    """One tree (an overlay, so that a file of it can be edited) and one cache."""

    overlay: Overlay
    cache: Path
    paths: tuple[str, ...]
    jobs: int
    original: str

    def command(self, *more: str) -> list[str]:
        options = ["--tree", str(self.overlay.root), "--cache", str(self.cache)]
        profile = ["--arch", "arm64", "--config", "defconfig", "--rt", "-j", str(self.jobs)]
        return [*more, *options, *profile, *self.paths]

    def restore(self) -> None:
        self.overlay.write(EDITED, self.original)

    def audit(self) -> tuple[float, float]:
        """One run of the tool: seconds, and MiB at its peak."""
        program = [sys.executable, "-m", "ctxlint", "audit", "-q", "-f", "json"]
        started = time.perf_counter()
        with subprocess.Popen(
            self.command(*program), stdout=subprocess.DEVNULL, env=environment()
        ) as process:
            memory = Memory(process.pid)
            memory.start()
            code = process.wait()
        seconds = time.perf_counter() - started
        if code not in (0, 1):
            raise SystemExit(f"the audit ended with code {code}")
        return seconds, memory.peak

    def stages(self) -> dict[str, float]:
        """Another run, by the library: seconds in each stage."""
        done = subprocess.run(
            self.command(sys.executable, __file__, "--stages"),
            env=environment(),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        found: dict[str, float] = json.loads(done.stdout)
        return found

    def forget(self) -> None:
        for file in self.cache.glob("store.sqlite*"):
            file.unlink()

    def edit(self, round_: int) -> None:
        """The edited file with one more function."""
        added = f"\nvoid bench_{round_}(void);\nvoid bench_{round_}(void) {{ }}\n"
        self.overlay.write(EDITED, self.original + added)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def syntax_only(compiler: str, commands: tuple[kbuild.CompileCommand, ...], tree: Path,
                jobs: int) -> float:  # fmt: skip
    def one(command: kbuild.CompileCommand) -> None:
        words = [compiler, *command.arguments, "-fsyntax-only", str(tree / command.file)]
        subprocess.run(
            words, cwd=command.directory, check=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    with ThreadPoolExecutor(jobs) as pool:
        return timed(lambda: list(pool.map(one, commands)))


class Stopwatch:
    """A progress that only looks at the time."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._started: dict[str, float] = {}

    def start(self, stage: str, total: int) -> None:
        self._started[stage] = time.perf_counter()

    def advance(self, stage: str, text: str = "") -> None: ...

    def finish(self, stage: str) -> None:
        word = stage.partition(" ")[0]
        spent = time.perf_counter() - self._started[stage]
        self.seconds[word] = self.seconds.get(word, 0.0) + spent

    def log(self, level: str, message: str) -> None: ...


def print_stages(options: argparse.Namespace) -> None:
    watch = Stopwatch()

    def run() -> None:
        from ctxlint import pipeline
        from ctxlint.report import json_report

        request = pipeline.Request(
            tree=options.tree, paths=tuple(options.paths), arch="arm64", config="defconfig",
            rt="rt", cache=Path(options.cache), jobs=options.jobs,
        )  # fmt: skip
        json_report.render(pipeline.audit(request, watch))

    total = timed(run)
    watch.seconds["rest"] = total - sum(watch.seconds.values())
    print(json.dumps(watch.seconds))


def measure(bench: Bench, runs: int) -> tuple[dict[str, Measured], dict[str, dict[str, float]]]:
    """Rounds of everything, one after the other: what disturbs one disturbs its
    neighbours in the same round."""
    compiler = clang()
    if compiler is None:
        raise SystemExit("no clang to compare with")
    tree = bench.overlay.root
    prepared = kbuild.prepare(
        kbuild.find_tree(tree), arch="arm64", config="defconfig", rt=True,
        paths=bench.paths, cache=bench.cache, jobs=bench.jobs,
    )  # fmt: skip
    edited = tuple(c for c in prepared.commands if c.file == EDITED)
    names = (
        "clang", "clang, edited unit", "cold", "unchanged", "edited", "--help", "memory",
        "cold / clang", "edited allowed", "cold, CPU", "edited, CPU", "cold / clang, CPU",
    )  # fmt: skip
    found = {name: Measured() for name in names}
    tables: dict[str, dict[str, float]] = {}
    print(f"{len(prepared.commands)} units, {compiler}, {bench.jobs} jobs", flush=True)
    help_ = [sys.executable, "-m", "ctxlint", "--help"]
    for round_ in range(runs):
        bench.restore()
        begin = processor()
        now = {"clang": syntax_only(compiler, prepared.commands, tree, bench.jobs)}
        middle = processor()
        bench.forget()
        now["cold"], now["memory"] = bench.audit()
        now["cold, CPU"] = processor() - middle
        now["cold / clang, CPU"] = now["cold, CPU"] / (middle - begin)
        now["clang, edited unit"] = syntax_only(compiler, edited, tree, 1)
        now["unchanged"] = bench.audit()[0]
        bench.edit(round_)
        begin = processor()
        now["edited"] = bench.audit()[0]
        now["edited, CPU"] = processor() - begin
        now["--help"] = timed(
            lambda: subprocess.run(help_, check=True, stdout=subprocess.DEVNULL,
                                   env=environment())
        )  # fmt: skip
        now["cold / clang"] = now["cold"] / now["clang"]
        now["edited allowed"] = EDIT_SHARE * now["cold"] + now["clang, edited unit"]
        for name, value in now.items():
            found[name].values.append(value)
        print("round", round_ + 1, {k: round(v, 2) for k, v in now.items()},
              "load", round(os.getloadavg()[0], 1), flush=True)  # fmt: skip
    bench.restore()
    bench.forget()
    tables["cold"] = bench.stages()
    tables["unchanged"] = bench.stages()
    bench.edit(runs)
    tables["edited"] = bench.stages()
    return found, tables


def report(found: dict[str, Measured], tables: dict[str, dict[str, float]]) -> None:
    print(f"\n{'':22}{'median':>9} {'least':>9} {'most':>9}")
    for name, values in found.items():
        print(f"{name:22}{values}")
    print()
    goals = (
        ("cold / clang", found["cold / clang"].median, COLD_RATIO, ""),
        ("edited", found["edited"].median, found["edited allowed"].median, "s"),
        ("unchanged", found["unchanged"].median, WARM_SECONDS, "s"),
        ("--help", found["--help"].median, HELP_SECONDS, "s"),
        ("memory", found["memory"].median, MEMORY_MIB, "MiB"),
    )
    for name, value, limit, unit in goals:
        word = "met" if value <= limit else "MISSED"
        print(f"{name:22}{value:9.2f} {unit:3}  at most {limit:8.2f} {unit:3}  {word}")
    print("\nseconds in each stage")
    for name, seconds in tables.items():
        print(f"{name:22}" + "  ".join(f"{k} {v:.2f}" for k, v in seconds.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", default=DEFAULT_PATHS)
    parser.add_argument("--tree", type=Path, default=os.environ.get("CTXLINT_KERNEL_TREE"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("-j", "--jobs", type=int, default=len(os.sched_getaffinity(0)))
    for same in ("--arch", "--config", "--cache"):
        parser.add_argument(same, help=argparse.SUPPRESS)
    for same in ("--rt", "--stages"):
        parser.add_argument(same, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.tree is None:
        parser.error("name a kernel tree with --tree or CTXLINT_KERNEL_TREE")
    if options.stages:
        print_stages(options)
        return
    scratch = Path(tempfile.mkdtemp(prefix="ctxlint-bench-"))
    try:
        overlay = Overlay(options.tree.resolve(), scratch / "tree")
        for path in options.paths:  # real directories: a link would lead out of the tree
            overlay.write(f"{path}/Makefile", (options.tree / path / "Makefile").read_text())
        text = (options.tree / EDITED).read_text(encoding="utf-8")
        bench = Bench(overlay, scratch / "cache", tuple(options.paths), options.jobs, text)
        report(*measure(bench, options.runs))
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
