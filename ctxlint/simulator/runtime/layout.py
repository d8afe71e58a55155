# SPDX-License-Identifier: GPL-2.0-or-later
"""Records of the kernel at hand, for model functions: members by name."""

from __future__ import annotations

from ctxlint.ir.types import RecordDef
from ctxlint.simulator.image import find_member
from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.outcome import Unmodelled


def _record(m: Machine, name: int) -> RecordDef:
    text = m.mem.text(name)
    found = m.image.records.get(text)
    if found is None:
        raise Unmodelled(text, "its layout is not known")
    return found


@primitive
def model_member_at(m: Machine, object_: int, record: int, member: int) -> int:
    """``void *model_member_at(const void *object, const char *record, const char
    *member)``: where a member of a record is."""
    layout = _record(m, record)
    name = m.mem.text(member)
    found = find_member(m.image, layout, name)
    if found is None:
        raise Unmodelled(f"{layout.key}.{name}", "there is no such member")
    return object_ + found[0] // 8


@primitive
def model_record_size(m: Machine, record: int) -> int:
    """``unsigned long model_record_size(const char *record)``."""
    return _record(m, record).size
