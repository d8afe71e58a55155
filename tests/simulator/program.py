# SPDX-License-Identifier: GPL-2.0-or-later
"""Small C texts, lowered, linked and ready to run."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ctxlint.frontend import lower_unit
from ctxlint.simulator.code import Code
from ctxlint.simulator.image import Image
from ctxlint.simulator.machine import Machine

ARGUMENTS = ("--target=aarch64-linux-gnu", "-std=gnu11", "-funsigned-char")


def image_of(*texts: str, arguments: tuple[str, ...] = ARGUMENTS) -> Image:
    """The texts as units ``u0.c``, ``u1.c`` and so on of one image."""
    image = Image()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for i, text in enumerate(texts):
            (folder / f"u{i}.c").write_text(text, encoding="utf-8")
            unit = lower_unit(
                tree=folder, file=f"u{i}.c", arguments=arguments, directory=folder
            )
            assert unit.errors == ()
            image.add_unit(unit)
    return image


def machine_of(*texts: str) -> Machine:
    return Machine(Code(image_of(*texts)))
