# SPDX-License-Identifier: GPL-2.0-or-later
"""Model files: they hold together for every configuration, and use what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ctxlint.base.errors import RuleError
from ctxlint.simulator.image import Image
from ctxlint.simulator.machine import primitives
from ctxlint.simulator.runtime import boot as _boot  # noqa: F401 - its primitives
from ctxlint.simulator.runtime import library
from ctxlint.simulator.runtime.assembly import read_rules
from ctxlint.simulator.runtime.library import add_models, kernel, lowered, model_texts
from ctxlint.simulator.runtime.state import BOOTING, Config


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arch", "rt", "numa"),
    [("arm64", True, False), ("arm64", False, True), ("x86_64", False, False)],
)
def test_every_configuration_boots(arch: str, rt: bool, numa: bool) -> None:
    config = Config(rt=rt, arch=arch, numa=numa, cpus=3)
    image = Image()
    add_models(image, config)
    k = kernel(image, config)
    m = k.m
    assert k.system_state == BOOTING
    assert (k.task.comm, k.task.preempt_count, k.cpu.irqs_off) == ("swapper/0", 1, True)
    assert m.load(m.address_of("nr_cpu_ids"), 4) == 3
    assert m.load(m.address_of("__cpu_possible_mask"), 8) == 0b111
    assert m.load(m.address_of("__cpu_online_mask"), 8) == 0b001
    for cpu in range(3):
        assert m.load(m.percpu("cpu_number", cpu), 4) == cpu
        offset = m.address_of("__per_cpu_offset") + 8 * cpu
        assert m.load(offset, 8) == m.percpu_offset(cpu)
    assert m.call("get_free_pages_noprof", 0x820, 2)
    assert not k.reports


def test_primitives_are_declared_and_defined() -> None:
    """What model files use without a body is a primitive; each one they declare exists,
    and says in its documentation how C calls it."""
    texts = model_texts()
    declared = set()
    for name, text in texts.items():
        if name.endswith(".h"):
            declared |= set(re.findall(r"^[\w ]+?\*?(model_\w+)\([^;{]*\);", text, re.M))
    for rt in (True, False):
        models = lowered(Config(rt=rt, numa=not rt))
        bodies = {f.symbol for f in models.functions}
        used = {d.symbol for d in models.decls if d.symbol.startswith("model_")}
        assert used <= set(primitives())
        assert declared - bodies <= set(primitives())
        assert {d.symbol for d in models.decls} - set(primitives()) <= {
            s for s in (d.symbol for d in models.decls) if s.startswith("__builtin_")
        }
    for name, function in primitives().items():
        assert f"{name}(" in (function.__doc__ or ""), name


def test_rules_of_assembly_are_checked(tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "asm.yaml"
    path.write_text("- {pattern: nop, does: something}\n")
    with pytest.raises(RuleError, match="something"):
        read_rules(path)


def test_what_was_lowered_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the same texts, conditions and code; what is damaged is made again."""
    monkeypatch.setattr(library, "_kept_in", {})
    (tmp_path / "models").mkdir()
    (tmp_path / "models/a.c").write_text("int f(int a) { return a + 1; }\n")
    made = []
    real = library.lower_models

    def lower(*words: object, **more: object) -> object:
        made.append(1)
        return real(*words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(library, "lower_models", lower)

    def lowered_anew(rt: bool = False) -> object:
        library._lowered.cache_clear()
        return lowered(Config(rt=rt), tmp_path / "models")

    first = lowered_anew()
    library.keep_in(tmp_path / "kept", "one")
    assert lowered_anew() == lowered_anew() == first
    assert len(made) == 2
    lowered_anew(rt=True)
    library.keep_in(tmp_path / "kept", "another")
    lowered_anew()
    (tmp_path / "models/a.c").write_text("int f(int a) { return a + 2; }\n")
    assert lowered_anew() != first
    assert len(made) == 5
    for path in (tmp_path / "kept").iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    lowered_anew()
    assert len(made) == 6
    library._lowered.cache_clear()
