# SPDX-License-Identifier: GPL-2.0-or-later
"""Model files: they hold together for every configuration, and use what there is."""

from __future__ import annotations

import re

import pytest

from ctxlint.base.errors import RuleError
from ctxlint.model.image import Image
from ctxlint.model.machine import primitives
from ctxlint.model.runtime import boot as _boot  # noqa: F401 - its primitives
from ctxlint.model.runtime.library import add_models, kernel, lowered, model_texts
from ctxlint.model.runtime.outside import read_rules
from ctxlint.model.runtime.state import BOOTING, Config


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
