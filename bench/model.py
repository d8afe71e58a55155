# SPDX-License-Identifier: GPL-2.0-or-later
"""How fast the model runs C, against the same code compiled with -O0. See README.md."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]

from ctxlint.frontend import lower_unit  # noqa: E402
from ctxlint.simulator.code import Code  # noqa: E402
from ctxlint.simulator.image import Image  # noqa: E402
from ctxlint.simulator.machine import Machine  # noqa: E402
from tests.simulator.fuzz.choices import Choices  # noqa: E402
from tests.simulator.fuzz.host import FLAGS, TARGET, compilers, image_of  # noqa: E402
from tests.simulator.fuzz.writer import Writer  # noqa: E402

FUEL = 1 << 40
COMPILED_TIMES = 200  # the compiled kernels are too fast to be timed once

SOURCE = """\
typedef unsigned long u64; typedef unsigned char u8;
struct node { struct node *next; u64 key; int count : 7; };
static u64 words[512]; static u8 bytes[4096]; static struct node nodes[64];
u64 loop(u64 n) { u64 s = 0; for (u64 i = 0; i < n; i++) s = s * 5 + (i ^ (s >> 7)); return s; }
u64 branches(u64 n)
{
	u64 s = 0;
	for (u64 i = 0; i < n; i++) {
		if (i & 1) s += 3; else s ^= i;
		switch (i & 7) { case 0: s++; break; case 3: case 4: s += 2; break; default: s--; }
	}
	return s;
}
u64 copy(u64 n)
{
	for (u64 i = 0; i < n; i++) {
		bytes[i & 4095] = (u8)i;
		words[i & 511] += bytes[(i * 7) & 4095];
	}
	return words[5];
}
static u64 leaf(u64 a, u64 b) { return a * 3 + b; }
u64 calls(u64 n) { u64 s = 0; for (u64 i = 0; i < n; i++) s = leaf(s, i); return s; }
static void held(u64 *p, u64 v) { u64 local = v; u64 *q = &local; *p += *q; }
u64 frames(u64 n) { u64 s = 0; for (u64 i = 0; i < n; i++) held(&s, i); return s; }
u64 list(u64 n)
{
	u64 s = 0;
	for (int i = 0; i < 63; i++) { nodes[i].next = &nodes[i + 1]; nodes[i].key = i; }
	for (u64 i = 0; i < n; i += 64)
		for (struct node *p = nodes; p; p = p->next) { s += p->key; p->count++; }
	return s;
}
struct pair { u64 a, b; };
static struct pair turned(struct pair p) { return (struct pair){ p.b, p.a + 1 }; }
u64 structs(u64 n)
{
	struct pair p = { 1, 2 };
	for (u64 i = 0; i < n; i++) p = turned(p);
	return p.a;
}
"""
KERNELS = ("loop", "branches", "copy", "calls", "frames", "list", "structs")

MAIN = """
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int main(int argc, char **argv)
{
	u64 n = strtoul(argv[1], 0, 0) * TIMES, s = 0;
	struct timespec a, b;
	u64 (*k[])(u64) = { %s };
	for (unsigned i = 0; i < sizeof(k) / sizeof(*k); i++) {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
		s += k[i](n);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
		printf("%%.9f\\n", (b.tv_sec - a.tv_sec) + (b.tv_nsec - a.tv_nsec) * 1e-9);
	}
	return s == 42;
}
"""


def compiled(folder: Path, rounds: int, compiler: str) -> list[float]:
    """Seconds of processor time for each kernel."""
    text = SOURCE + MAIN.replace("TIMES", str(COMPILED_TIMES)) % ", ".join(KERNELS)
    (folder / "host.c").write_text(text, encoding="utf-8")
    subprocess.run([compiler, *FLAGS, "-o", "host", "host.c"], cwd=folder, check=True)
    done = subprocess.run(
        [folder / "host", str(rounds)], capture_output=True, text=True, check=True
    )
    return [float(line) / COMPILED_TIMES for line in done.stdout.split()]


def modelled(folder: Path, rounds: int) -> list[float]:
    (folder / "unit.c").write_text(SOURCE, encoding="utf-8")
    unit = lower_unit(tree=folder, file="unit.c", arguments=TARGET, directory=folder)
    image = Image()
    image.add_unit(unit)
    code = Code(image)
    times = []
    for name in KERNELS:
        m = Machine(code, fuel=FUEL)
        m.call(name, 64)  # compiles it, makes its pages
        start = time.process_time()
        m.call(name, rounds)
        times.append(time.process_time() - start)
    return times


def compiling(folder: Path, count: int) -> tuple[int, float]:
    """Functions, and seconds to compile one of generated programs, lowered already."""
    from random import Random

    image = image_of([Writer(Choices(Random(i))).program() for i in range(count)], folder)
    code = Code(image)
    start = time.process_time()
    for fn in image.functions.values():
        code.function(fn)
    return len(image.functions), (time.process_time() - start) / len(image.functions)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50_000, help="of each kernel's loop")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    found = compilers()
    if not found:
        sys.exit("needs gcc or clang on an x86_64 host")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        theirs = [compiled(folder, options.rounds, found[0]) for _ in range(options.repeat)]
        ours = [modelled(folder, options.rounds) for _ in range(options.repeat)]
        functions, each = compiling(folder, 40)
    print(f"{'kernel':10} {'rounds/s':>12} {'-O0 rounds/s':>14} {'ratio':>7}")
    for i, kernel in enumerate(KERNELS):
        model = statistics.median(run[i] for run in ours)
        host = statistics.median(run[i] for run in theirs)
        print(
            f"{kernel:10} {options.rounds / model:12,.0f} {options.rounds / host:14,.0f}"
            f" {model / host:7.0f}"
        )
    print(f"\ncompiling: {each * 1e3:.2f} ms a function ({functions} generated ones)")


if __name__ == "__main__":
    main()
