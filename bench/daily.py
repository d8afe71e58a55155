# SPDX-License-Identifier: GPL-2.0-or-later
"""What is felt: the start of commands, one file audited for the first time, again without a
change, and after one. Each beside something of the same machine. See README.md."""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/kernel_tree")]

from scratch import Overlay  # noqa: E402

FILE = "drivers/irqchip/irq-gic-v3-its.c"
STARTS = (
    ("--version",), ("explain", "sleep-in-atomic"), ("rules", "show", "msleep"),
    ("config", "show"), ("splat", "LOG"), ("audit", "--help"),
)  # fmt: skip
LOG = "BUG: scheduling while atomic: swapper/0/0/0x00000002\nCPU: 0 PID: 0 Comm: swapper/0\n"


def spent(action: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds, of children too."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    action()
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def median(pairs: Iterable[tuple[float, float]]) -> tuple[float, float]:
    walls, processors = zip(*pairs, strict=True)
    return statistics.median(walls), statistics.median(processors)


def run(words: Iterable[str], folder: Path) -> None:
    # With compiled modules, as an installation has them.
    unset = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(
        list(words), cwd=folder, env={**unset, "PYTHONPATH": str(ROOT)}, check=False,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def show(name: str, pair: tuple[float, float], base: tuple[float, float]) -> None:
    print(f"{name:32} {pair[0]:8.2f} {pair[1]:8.2f} {pair[1] / base[1]:8.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rt", default="both", choices=("both", "rt"))
    runs = parser.parse_args().runs
    kinds = ["--rt"] if parser.parse_args().rt == "rt" else []
    tree = Path(os.environ["CTXLINT_KERNEL_TREE"])
    tool = [sys.executable, "-m", "ctxlint"]
    print(f"{'':32} {'wall':>8} {'CPU':>8} {'ratio':>8}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        overlay = Overlay(tree, folder / "tree")
        (folder / "log").write_text(LOG)
        bare = [sys.executable, "-c", "pass"]
        run([*tool, "--version"], tree)
        python = median(spent(lambda: run(bare, tree)) for _ in range(runs))
        show("python -c pass", python, python)
        for words in STARTS:
            given = [str(folder / "log") if word == "LOG" else word for word in words]
            command = [*tool, *given]
            pair = median(spent(lambda c=command: run(c, tree)) for _ in range(runs))  # type: ignore[misc]
            show(" ".join(words), pair, python)

        def audit(cache: str) -> None:
            run([*tool, "audit", FILE, *kinds, "--cache", str(folder / cache)], overlay.root)

        def configured(build: Path) -> None:
            build.mkdir()
            for target in ("defconfig", "prepare"):
                run(["make", "-C", str(tree), f"O={build}", "ARCH=arm64", "LLVM=1",
                     f"-j{os.cpu_count()}", target], tree)  # fmt: skip

        make = spent(lambda: configured(folder / "build"))
        show("make defconfig prepare", make, make)
        show("first audit of one file", spent(lambda: audit("cache")), make)
        again = median(spent(lambda: audit("cache")) for _ in range(runs))
        show("the same, unchanged", again, python)
        text = (overlay.root / FILE).read_text()
        edited = []
        for number in range(runs):
            overlay.write(FILE, f"{text}\nvoid b{number}(void);\nvoid b{number}(void) {{ }}\n")
            time.sleep(0.1)
            edited.append(spent(lambda: audit("cache")))
        show("the same, edited", median(edited), python)


if __name__ == "__main__":
    main()
