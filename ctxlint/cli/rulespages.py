# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules as Markdown: one page for each rule file, one row for each rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ctxlint.rulebook import schema
from ctxlint.rulebook.prototypes import name_of
from ctxlint.rulebook.rows import Row

_LEVELS = {"spin": "spins", "config": "sleeps on PREEMPT_RT", "sleep": "sleeps"}
_MAY = {"spin": "may spin", "config": "may sleep on PREEMPT_RT", "sleep": "may sleep"}
_PROFILES = {"any": "", "rt": " (PREEMPT_RT)", "nort": " (not PREEMPT_RT)"}


def pages(rows: Iterable[Row]) -> dict[str, str]:
    """Markdown by rule file (``rules/apis/x.yaml``), in order."""
    files: dict[str, list[Row]] = {}
    for row in rows:
        files.setdefault(row.file, []).append(row)
    return {file: _page(file, files[file]) for file in sorted(files)}


def index(rows: Iterable[Row], link: Callable[[str], str]) -> str:
    """A list of the rule files with how many rules each has, and the link to its page."""
    files: dict[str, int] = {}
    for row in rows:
        files[row.file] = files.get(row.file, 0) + 1
    groups: dict[str, list[str]] = {}
    for file in sorted(files):
        groups.setdefault(file.rpartition("/")[0], []).append(file)
    lines: list[str] = []
    for folder, members in groups.items():
        lines += [f"## {_FOLDERS.get(folder, folder)}", ""]
        lines += [f"- [{_title(file)}]({link(file)}): {files[file]}" for file in members]
        lines.append("")
    return "\n".join(lines)


_FOLDERS = {
    "rules": "Words",
    "rules/apis": "Functions, by the header that declares them",
    "rules/callbacks": "Members that hold callbacks",
    "rules/entry_points": "Registrations, and functions that the kernel calls first",
}


def _title(file: str) -> str:
    """The file's name, which for functions is the header's (``_`` for ``/``)."""
    return file.rpartition("/")[2].removesuffix(".yaml")


def _page(file: str, rows: Sequence[Row]) -> str:
    lines = [f"# {_title(file)}", "", f"From `{file}`, {len(rows)} rules.", ""]
    lines += ["| name | kind | rule | source |", "|---|---|---|---|"]
    for row in rows:
        cells = (f"`{row.name}`", row.kind, says(row.rule), row.source and f"`{row.source}`")
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def says(rule: Any) -> str:
    """What a rule says, in a sentence's length."""
    return _SAYS[type(rule)](rule)


def _api(rule: schema.Api) -> str:
    parts = [_case(case) for case in rule.requires]
    if rule.config is not None:
        parts.append(f"as the fields of `{rule.config.record}` decide")
    said = ["; else ".join(parts) or "never waits"]
    if rule.effect is not None:
        when = {"": "", "nonzero": " if it returns non-zero", "zero": " if it returns zero"}
        for title, phrases in (
            ("any", rule.effect.any), ("rt", rule.effect.rt), ("nort", rule.effect.nort),
        ):  # fmt: skip
            if phrases:
                what = ", ".join(phrases)
                said.append(f"effect{_PROFILES[title]}: {what}{when[rule.effect.on]}")
    if rule.states:
        said.append(f"states {', '.join(rule.states)}")
    if rule.before:
        said.append(f"before that: {', '.join(rule.before)}")
    if rule.legal_in:
        said.append(f"legal in {', '.join(rule.legal_in)}")
    if rule.relaxed_by:
        first, *more = rule.relaxed_by
        others = f" and {len(more)} others" if more else ""
        said.append(f"relaxed by `{first}()`{others}")
    if rule.noreturn:
        said.append("does not return")
    if rule.inside:
        said.append("its body is analysed as well")
    if rule.opaque:
        said.append("its body is never analysed")
    if rule.runs:
        said.append(f"calls `{rule.runs}` where it returns non-zero")
    return "; ".join(said)


def _tree(text: str) -> str:
    """A condition on the tree, in words."""
    file, _, word = text.removeprefix("!").partition(":")
    if not text:
        return ""
    return f" where `{file}` {'lacks' if text.startswith('!') else 'has'} `{word}`"


def _case(case: schema.Case) -> str:
    words = (_LEVELS if case.certainty == "certain" else _MAY)[case.level]
    if case.certainty == "possible":
        words += " with few drivers (shown with --possible)"
    if case.when:
        words += f" if `{case.when}`"
    if case.why:
        words += f" ({case.why})"
    return words + _tree(case.tree) + _PROFILES[case.profile]


def _choices(choices: Sequence[schema.Choice]) -> str:
    return "; else ".join(_choice(c) for c in choices)


def _choice(choice: schema.Choice) -> str:
    said = choice.context if choice.certainty == "certain" else f"perhaps {choice.context}"
    conditions = [f"`{choice.when}`"] if choice.when else []
    for name, variables in choice.is_one_of.items():
        conditions.append(f"`{name}` is {' or '.join(f'`{v}`' for v in variables)}")
    if choice.made is not None:
        maker = name_of(choice.made.prototype)
        when = f" with `{choice.made.when}`" if choice.made.when else ""
        conditions.append(f"`{choice.made.arg}` is from `{maker}()`{when}")
    if choice.file:
        conditions.append(f"in `{choice.file}`")
    if conditions:
        said += f" if {' and '.join(conditions)}"
    if choice.unless:
        said += f", unless the driver sets `{choice.unless}`"
    if choice.unless_called is not None:
        called = choice.unless_called
        said += f", unless it calls `{name_of(called.prototype)}()` with `{called.when}`"
    return said + _tree(choice.tree) + _PROFILES[choice.profile]


def _registration(rule: schema.Registration) -> str:
    return "; ".join(f"`{c.arg}` ({c.kind}): {_choices(c.contexts)}" for c in rule.callbacks)


def _member(rule: schema.FieldCallback) -> str:
    return f"{rule.kind}: {_choices(rule.contexts)}"


def _entry(rule: schema.NamedEntry) -> str:
    return f"{rule.kind} in `{rule.file}`: {_choices(rule.contexts)}"


def _table(rule: schema.TableEntry) -> str:
    return f"{rule.kind}, {', '.join(rule.fields)}: {_choices(rule.contexts)}"


def _trampoline(rule: schema.Trampoline) -> str:
    return (
        f"goes to what `{rule.variable}*` holds in `{rule.record}.{rule.field}`, "
        f"and to `{rule.value}` of `{name_of(rule.update)}()`"
    )


def _context(rule: schema.Context) -> str:
    return f"{rule.title}: {rule.text}"


def _lock(rule: schema.LockKind) -> str:
    said = [rule.title]
    for title, phrases in (("any", rule.any), ("rt", rule.rt), ("nort", rule.nort)):
        if phrases:
            said.append(f"holding it{_PROFILES[title]}: {', '.join(phrases)}")
    return "; ".join(said)


def _operation(rule: schema.Operation) -> str:
    return ". ".join(
        part.rstrip(".") for part in (rule.title, rule.why_sleep, rule.why_rt) if part
    )


def _constant(rule: schema.Constant) -> str:
    if rule.value is None:
        return f"the enumerator `{rule.enumerator}`"
    other = f", or the enumerator `{rule.enumerator}`" if rule.enumerator else ""
    return f"{rule.value:#x}{other}"


_SAYS: Mapping[type, Callable[[Any], str]] = {
    schema.Api: _api,
    schema.Registration: _registration,
    schema.FieldCallback: _member,
    schema.NamedEntry: _entry,
    schema.TableEntry: _table,
    schema.Trampoline: _trampoline,
    schema.Context: _context,
    schema.LockKind: _lock,
    schema.Operation: _operation,
    schema.Constant: _constant,
}
