# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of a kernel tree for scenarios, changed in memory or next to bundled ones.

The parser sees the changed text under the file's own name; nothing is written into the tree.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from ctxlint.base.errors import FrontendError, UsageError
from ctxlint.base.places import rules_directory
from ctxlint.base.processes import scratch
from ctxlint.base.request import Quiet, Request
from ctxlint.frontend import lower_unit, write_overlay
from ctxlint.pipeline.session import Session
from ctxlint.scenarios.schema import Edit
from ctxlint.simulator.image import Image


def fixtures_directory() -> Path:
    """The bundled C files."""
    return rules_directory().parent / "fixtures"


def image_of(
    request: Request, files: tuple[str, ...], edits: tuple[Edit, ...], beside: tuple[str, ...]
) -> Image:
    """The files of a variant, lowered with its changes; raises UsageError when the tree
    has no text that is to be changed."""
    session = Session.of(request)
    profile = session.profiles(Quiet())[0]
    commands = {command.file: command for command in profile.commands}
    missing = [file for file in files if file not in commands]
    if missing:
        raise UsageError(f"{missing[0]}: the configuration does not build it")
    contents: dict[str, bytes | None] = {}
    for edit in edits:
        text = contents.get(edit.file) or (session.tree.path / edit.file).read_bytes()
        if edit.find.encode() not in text:
            raise UsageError(
                f"{edit.file}: {edit.find!r} is not in it",
                hint="the scenario is for another version of the kernel",
            )
        contents[edit.file] = text.replace(edit.find.encode(), edit.put.encode())
    first = commands[files[0]]
    folder = PurePosixPath(files[0]).parent
    jobs = [(file, commands[file]) for file in files]
    for name in beside:
        place = str(folder / name)
        contents[place] = (fixtures_directory() / "model" / name).read_bytes()
        jobs.append((place, first))
    image = Image()
    with scratch("ctxlint-copies-") as where:
        overlay = write_overlay(
            where,
            session.tree.path,
            contents,
            [(command.directory, command.arguments) for _, command in jobs],
        )
        for file, command in jobs:
            unit = lower_unit(
                tree=session.tree.path,
                file=file,
                arguments=command.arguments,
                directory=command.directory,
                overlay=str(overlay),
            )
            if unit.errors:
                raise FrontendError(f"{file}: {unit.errors[0]}")
            image.add_unit(unit)
    return image


__all__ = ["fixtures_directory", "image_of"]
