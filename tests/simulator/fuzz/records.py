# SPDX-License-Identifier: GPL-2.0-or-later
"""Generated structs and unions, and initialisers for them.

A union is always seen whole through its first member ``r`` (8 bytes), and initialised
through it alone, so that no byte of it that is looked at was left unspecified.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulator.fuzz.choices import INTS, Choices


@dataclass(frozen=True)
class Leaf:
    """An integer in a record: ``path`` is what to write behind the object."""

    path: str
    type: str
    bits: int = 0  # of a bit-field

    @property
    def addressable(self) -> bool:
        return not self.bits


@dataclass
class Member:
    """``kind`` is ``"int"``, ``"bits"``, ``"array"``, ``"record"``, ``"anonymous"``,
    ``"union"`` or ``"gap"`` (an unnamed bit-field)."""

    kind: str
    name: str
    type: str = ""
    bits: int = 0
    count: int = 0
    record: Record | None = None

    def declaration(self) -> str:
        match self.kind:
            case "bits" | "gap":
                return f"{self.type} {self.name} : {self.bits};"
            case "array":
                return f"{self.type} {self.name}[{self.count}];"
            case "anonymous" | "union":
                assert self.record is not None
                word = "union" if self.kind == "union" else "struct"
                return f"{word} {{ {self.record.body()} }} {self.name};"
        return f"{self.type} {self.name};"

    def leaves(self, whole: bool) -> list[Leaf]:
        dot = f".{self.name}" if self.name else ""
        match self.kind:
            case "int":
                return [Leaf(dot, self.type)]
            case "bits":
                return [Leaf(dot, self.type, self.bits)]
            case "array" if self.record is None:
                return [Leaf(f"{dot}[{i}]", self.type) for i in range(self.count)]
            case "array":
                inner = self.record.leaves(whole)
                return [
                    Leaf(f"{dot}[{i}]{x.path}", x.type, x.bits)
                    for i in range(self.count)
                    for x in inner
                ]
            case "gap":
                return []
        assert self.record is not None
        inner = self.record.leaves(whole)
        if self.kind == "union" and not whole:
            inner = inner[:1]
        return [Leaf(dot + x.path, x.type, x.bits) for x in inner]


@dataclass
class Record:
    name: str
    members: list[Member] = field(default_factory=list)
    packed: bool = False

    def body(self) -> str:
        return " ".join(m.declaration() for m in self.members)

    def definition(self) -> str:
        packed = " __attribute__((packed))" if self.packed else ""
        return f"{self.name} {{ {self.body()} }}{packed};"

    def leaves(self, whole: bool = True) -> list[Leaf]:
        """With ``whole``, the overlapping members of unions too."""
        return [leaf for m in self.members for leaf in m.leaves(whole)]


def bit_field(c: Choices, name: str) -> Member:
    type_ = c.one(("unsigned", "int", "u8", "s16", "u64", "s64", "bool", "u16", "s8"))
    bits = c.number(1, INTS[type_][0])
    return Member("bits", name, type_, bits)


def record(
    c: Choices, name: str, known: list[Record], depth: int = 0, prefix: str = "m"
) -> Record:
    """A struct of one to six members; ``known`` ones can be nested in it."""
    found = Record(name, packed=depth == 0 and c.chance(25))
    kinds = ["int", "bits", "bits", "bits", "array", "gap"]
    if known:
        kinds += ["record", "records"]
    if depth < 2:
        kinds += ["anonymous", "union"]
    for i in range(6):
        if not c.chance(70) and i:
            break
        label = f"{prefix}{i}"
        kind = c.one(kinds)
        if kind == "int":
            found.members.append(Member("int", label, c.type()))
        elif kind == "bits":
            found.members.append(bit_field(c, label))
        elif kind == "array":
            found.members.append(Member("array", label, c.type(), count=c.number(1, 4)))
        elif kind == "gap":
            found.members.append(Member("gap", "", "unsigned", c.one((0, 3, 17))))
        elif kind == "record":
            inner = c.one(known)
            found.members.append(Member("record", label, inner.name, record=inner))
        elif kind == "records":
            inner = c.one(known)
            found.members.append(
                Member("array", label, inner.name, count=c.number(1, 3), record=inner)
            )
        else:
            inner = record(c, "", known, depth + 1, f"{label}_")
            if kind == "union":
                first = Member("int", f"{label}r", "u64")
                rest = [m for m in inner.members if _small(m)]
                for member in rest:
                    if member.type == "bool" and member.kind != "bits":
                        member.type = "u8"  # a bool of any byte is undefined
                inner = Record("", [first, *rest])
            name_ = label if c.chance(50) else ""
            found.members.append(Member(kind, name_, record=inner))
    if not found.leaves():
        found.members.append(Member("int", f"{prefix}x", "int"))
    return found


def _small(member: Member) -> bool:
    """Whether a member fits the 8 bytes of a union's first one."""
    if member.kind == "array":
        return member.record is None and member.count * INTS[member.type][0] <= 64
    return member.kind in ("int", "bits")


def braces(c: Choices, members: list[Member], value: Callable[[], str]) -> str:
    """An initialiser by position, at most as long as the members."""
    parts: list[str] = []
    for m in members:
        if m.kind == "gap":
            continue
        if c.chance(15):
            break
        if m.kind in ("int", "bits"):
            parts.append(value())
        elif m.kind == "array" and m.record is None:
            parts.append("{" + ", ".join(value() for _ in range(c.number(1, m.count))) + "}")
        elif m.kind == "array":
            assert m.record is not None
            inner = [braces(c, m.record.members, value) for _ in range(c.number(1, m.count))]
            parts.append("{" + ", ".join(inner) + "}")
        else:
            assert m.record is not None
            of = m.record.members[:1] if m.kind == "union" else m.record.members
            parts.append(braces(c, of, value))
    return "{" + ", ".join(parts) + "}"


def designated(c: Choices, of: Record, value: Callable[[], str]) -> str:
    """An initialiser by names, in any order and with gaps."""
    leaves = of.leaves(whole=False)
    parts = []
    for _ in range(c.number(0, min(len(leaves), 5))):
        leaf = c.one(leaves)
        parts.append(f"{leaf.path} = {value()}")
        leaves.remove(leaf)
        if not leaves:
            break
    return "{" + ", ".join(parts) + "}"


def initialiser(c: Choices, of: Record, value: Callable[[], str]) -> str:
    if c.chance(50):
        return designated(c, of, value)
    return braces(c, of.members, value)
