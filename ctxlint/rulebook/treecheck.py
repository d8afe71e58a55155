# SPDX-License-Identifier: GPL-2.0-or-later
"""Which rules do not fit a kernel tree: functions, members and sources that it lacks,
prototypes and constants that differ.

Text is all that is looked at, so that it costs little: a name counts as there when the
file that the rule has its fact from has the word, or a header.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Literal

import msgspec

from ctxlint.rulebook import prototypes
from ctxlint.rulebook.book import ApiRule, RegistrationRule, Rulebook

Kind = Literal["function", "member", "prototype", "constant", "source"]
KINDS: tuple[Kind, ...] = ("function", "member", "prototype", "constant", "source")

Read = Callable[[str], "str | None"]
"""The text of a file of the tree; None when there is none."""

Search = Callable[[Iterable[str]], "frozenset[str]"]
"""Which of some words the headers of the tree have."""

Records = Callable[[Iterable[str]], Iterable[str]]
"""Headers that may define one of some records."""

NEWER = "newer than"
"""How the note of a rule begins whose function older trees do not have."""


class Misfit(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """``rule`` is the function, member or constant, ``place`` where the rule stands
    (``rules/apis/x.yaml: apis[3]``), ``text`` what is wrong with it."""

    kind: Kind
    rule: str
    place: str
    text: str


def check(book: Rulebook, read: Read, search: Search, records: Records) -> tuple[Misfit, ...]:
    """Every rule that does not fit, by kind and name."""
    read = lru_cache(maxsize=None)(read)
    found = [
        *_functions(book, read, search),
        *_members(book, read, records),
        *_prototypes(book, read),
        *_constants(book, read),
        *sources(book, read),
    ]
    return tuple(sorted(set(found), key=lambda m: (KINDS.index(m.kind), m.rule, m.place)))


def _functions(book: Rulebook, read: Read, search: Search) -> Iterator[Misfit]:
    """A rule fits when the tree has the function or an alias of it: the others are what
    other kernels call it."""
    absent: dict[tuple[str, str], tuple[str, ...]] = {}
    for rule in _rules(book):
        item = rule.api if isinstance(rule, ApiRule) else rule.registration
        if item.note.startswith(NEWER):
            continue
        names = (prototypes.name_of(rule.prototype), *rule.aliases)
        if book.some_kernels.isdisjoint(names) and not has_word(
            read(rule.source.partition(":")[0]), *names
        ):
            absent[names[0], rule.where] = names
    for name, entries in book.named_entries.items():
        for entry in entries:
            # Entry macros of x86 put underscores before the name that is written.
            names = (name, name.removeprefix("__"))
            if not has_word(read(entry.source.partition(":")[0]), *names):
                absent[name, f"entry point {name} ({entry.file})"] = names
    there = search(sorted({name for names in absent.values() for name in names}))
    for (name, place), names in absent.items():
        if not there & set(names):
            others = f" (nor {', '.join(names[1:])})" if names[1:] else ""
            yield Misfit(
                kind="function", rule=name, place=place, text=f"not in the tree{others}"
            )


def _members(book: Rulebook, read: Read, records: Records) -> Iterator[Misfit]:
    wanted: dict[str, set[str]] = {}
    for record, member in book.fields:
        wanted.setdefault(record, set()).add(member.partition(".")[0])
    bodies: dict[str, list[str]] = {record: [] for record in wanted}
    for file in records(sorted(wanted)):
        text = read(file) or ""
        for match in re.finditer(r"\bstruct\s+(\w+)\s*(?:__\w+\s*)?\{", text):
            if match[1] in bodies:
                bodies[match[1]].append(_braces(text, match.end()))
    for record, members in wanted.items():
        for member in sorted(members):
            name = f"{record}.{member}"
            if name in book.some_kernels:
                continue
            if not bodies[record]:
                text = f"no definition of struct {record} in the tree's headers"
                yield Misfit(kind="member", rule=name, place=f"record {record}", text=text)
            elif not any(re.search(rf"\b{member}\b", body) for body in bodies[record]):
                text = f"struct {record} has no such member"
                yield Misfit(kind="member", rule=name, place=f"record {record}", text=text)


def _braces(text: str, start: int) -> str:
    depth = 1
    for match in re.compile(r"[{}]").finditer(text, start):
        depth += 1 if match[0] == "{" else -1
        if not depth:
            return text[start : match.start()]
    return text[start:]


def _prototypes(book: Rulebook, read: Read) -> Iterator[Misfit]:
    """A parameter that the rule speaks of must be there by its name, or at its place."""
    for rule in _rules(book):
        text = read(rule.source.partition(":")[0])
        if rule.symbol in rule.aliases or not text or rule.symbol not in text:
            continue
        mine = [name for name, _ in rule.params]
        used = [name for name in used_parameters(rule) if name in mine]
        for theirs in parameters(text, rule.symbol):
            lost = [name for name in used if name not in theirs]
            if lost and len(theirs) != len(mine):
                what = f"has no parameter {' and '.join(lost)}: ({', '.join(theirs)})"
                yield Misfit(kind="prototype", rule=rule.symbol, place=rule.where, text=what)


def used_parameters(rule: ApiRule | RegistrationRule) -> tuple[str, ...]:
    """The words of a rule that may be parameters: in conditions, effects and callbacks."""
    if isinstance(rule, ApiRule):
        words = [case.when for case in rule.api.requires]
        effects = (*rule.effects(True), *rule.effects(False), *rule.before)
        words += [getattr(effect, "arg", "") for effect in effects]
    else:
        callbacks = rule.registration.callbacks
        words = [rule.registration.state, *(c.arg for c in callbacks)]
        words += [choice.when for c in callbacks for choice in c.contexts]
    return tuple(dict.fromkeys(re.findall(r"[a-z_]\w*", " ".join(words))))


def parameters(text: str, name: str) -> list[list[str]]:
    """The names of the parameters of each function ``name`` that begins in the first
    column. Lists with a macro in it tell nothing."""
    found: list[list[str]] = []
    pattern = rf"^[a-z][^\n;={{}}()#]*\b{re.escape(name)}\(((?:[^()]|\([^()]*\))*)\)"
    for match in re.finditer(pattern, text, re.M):
        if re.search(r"\b[A-Z][A-Z0-9_]+\(", match[1]):
            continue
        inner = re.sub(r"\(\s*\*\s*(\w+)\s*\)\s*\([^()]*\)", r" \1", match[1])
        inner = re.sub(r"\([^()]*\)", "", inner)
        parts = [part.strip() for part in inner.split(",")]
        names = [re.findall(r"\w+", part) for part in parts if part not in ("void", "...", "")]
        found.append([words[-1] for words in names if words])
    return found


_NUMBER = re.compile(
    r"\(?\s*(?:\(\s*__force\s+\w+\s*\)\s*)?(0[xX][0-9a-fA-F]+|\d+)[uUlL]*\s*\)?"
)
_SHIFT = re.compile(r"\(?\s*(?:BIT\(\s*(\d+)\s*\)|1[uUlL]*\s*<<\s*(\d+))\s*\)?")


def _constants(book: Rulebook, read: Read) -> Iterator[Misfit]:
    """Macros and enumerators that are a number as they stand; others are left alone."""
    for name, rule in book.constants.items():
        text = read(rule.source.partition(":")[0]) or ""
        match = re.search(
            rf"^\s*(?:#\s*define\s+{name}\s+|{name}\s*=\s*)([^\n,/]+)", text, re.M
        )
        if match is None:
            continue
        word = match[1].strip()
        number, shift = _NUMBER.fullmatch(word), _SHIFT.fullmatch(word)
        if number is not None:
            value = int(number[1], 0)
        elif shift is not None:
            value = 1 << int(shift[1] or shift[2])
        else:
            continue
        if rule.value is not None and value != rule.value:
            text = f"is {value:#x} in the tree, not {rule.value:#x}"
            yield Misfit(kind="constant", rule=name, place="rules/constants.yaml", text=text)


def sources(book: Rulebook, read: Read) -> Iterator[Misfit]:
    """Where a rule has its fact from, if the tree has it no more: the fact may be stale."""
    other = {
        rule.where
        for rule in _rules(book)
        if (rule.api if isinstance(rule, ApiRule) else rule.registration).note.startswith(NEWER)
        or rule.symbol in book.some_kernels
    }
    members = {name.partition(".")[2] for name in book.some_kernels if "." in name}
    for place, source, name in book.sources:
        path, _, identifier = source.partition(":")
        if not path or place in other or name in members:
            continue
        text = read(path)
        if text is None:
            yield Misfit(kind="source", rule=source, place=place, text="no such file")
        elif identifier and not has_word(text, identifier):
            yield Misfit(
                kind="source", rule=source, place=place, text=f"no {identifier} in {path}"
            )


def _rules(book: Rulebook) -> Iterator[ApiRule | RegistrationRule]:
    yield from book.apis.values()
    yield from book.registrations.values()


def has_word(text: str | None, *names: str) -> bool:
    """Whether the text has one of the identifiers."""
    return text is not None and any(
        name in text and re.search(rf"\b{re.escape(name)}\b", text) for name in names
    )
