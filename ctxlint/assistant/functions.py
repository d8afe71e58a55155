# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of one function: its execution contexts, the calls around it, and whether
it may sleep. From the rules, and from the tree as far as that is prepared."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence

from ctxlint import kbuild, pipeline
from ctxlint.assistant.answers import SHORT, about, few
from ctxlint.base.errors import CtxlintError, RuleError, UsageError
from ctxlint.base.places import default_cache
from ctxlint.base.request import Progress, Request
from ctxlint.findings.answers import (
    CallAnswer,
    ContextAnswer,
    FunctionAnswer,
    FunctionsAnswer,
    MaySleepAnswer,
    NotKnown,
    SleepAnswer,
)
from ctxlint.findings.graph import CallGraph, FunctionGraphs, GraphEdge
from ctxlint.pipeline.cache_status import ready
from ctxlint.pipeline.session import Session
from ctxlint.rulebook import conditions
from ctxlint.rulebook.book import ApiRule, Rulebook
from ctxlint.rulebook.schema import Operation
from ctxlint.search import definitions
from ctxlint.semantics.rule_calls import Requirement, requirement
from ctxlint.semantics.waits import LEVELS, Wait
from ctxlint.units.index import rules_of

NAME = re.compile(r"(?:[\w./-]{1,200}::)?[A-Za-z_]\w{0,199}")
"""A function, or FILE::FUNCTION of a static one."""
FILES = 3
"""Files that define functions of one name; more have to be told apart by the caller."""
_WALKED = 200
"""Functions in each direction that are looked at for an answer about one."""


def around(
    request: Request, function: str, path: str, progress: Progress, *, limit: int, calls: bool
) -> FunctionsAnswer:
    """The functions named ``function`` below ``path`` (``""``: in the files of the tree that
    define one). ``calls``: with all calls up to the entry points and down to what may wait,
    else those alone that lead into it. Raises UsageError when there is none."""
    request = with_files(request, function, path, progress)
    answers = pipeline.graph(request, function, progress, _WALKED)
    shown, more = few(answers, FILES)
    return FunctionsAnswer(
        tree=f"Linux {kbuild.find_tree(request.tree, with_commit=False).version}",
        looked_in=request.paths,
        functions=tuple(_function(answer, limit, calls) for answer in shown),
        more=more,
        not_known=NotKnown(notes=_unseen(shown)),
    )


def with_files(request: Request, function: str, path: str, progress: Progress) -> Request:
    """``request`` for the files that define ``function``, or for ``path``."""
    if NAME.fullmatch(function) is None:
        raise UsageError(
            f"{function[:80]!r} is not a function name",
            hint="a C identifier, or FILE::FUNCTION for a static one of several",
        )
    if path:
        return about(request, path)
    file, _, name = function.rpartition("::")
    tree = kbuild.find_tree(request.tree, with_commit=False)
    cache = request.cache or default_cache()
    found = definitions.find(tree.path, [name], cache, progress)[name]
    own = f"arch/{kbuild.arch_folder(request.arch or 'arm64')}/"
    files = [f for f in found if f.endswith(".c") and file in ("", f)]
    files = [f for f in files if not f.startswith("arch/") or f.startswith(own)]
    if not files:
        raise UsageError(
            f"no C file of the tree defines {name}()",
            hint="a macro or a function of a header: name a C file that uses it in 'path'",
        )
    if len(files) > FILES:
        some = ", ".join(files[:SHORT])
        raise UsageError(
            f"{len(files)} files define {name}(): {some}"
            + (f" and {len(files) - SHORT} more" if len(files) > SHORT else ""),
            hint="name the file in 'path'",
        )
    return about(request, *files)


def _function(answer: FunctionGraphs, limit: int, everything: bool) -> FunctionAnswer:
    # The profiles share their calls but for PREEMPT_RT's; one graph is enough.
    graph = answer.graphs[0]
    node = graph.node(graph.focus)
    edges = [
        edge
        for edge in graph.edges
        if everything or edge.target == graph.focus or edge.kind == "registration"
    ]
    edges.sort(key=lambda edge: (not edge.finding, not edge.context))
    shown, more = few(edges, limit)
    left_out = sum(n.more_callers + n.more_callees * everything for n in graph.nodes)
    contexts = []
    for kernel, found in answer.contexts:
        some, others = few(found, SHORT)
        contexts.append(ContextAnswer(kernel=kernel, contexts=tuple(some), more=others))
    return FunctionAnswer(
        function=node.name,
        place=f"{node.file}:{node.line}",
        contexts=tuple(contexts),
        calls=tuple(_call(graph, edge) for edge in shown),
        more=more + left_out,
    )


def _call(graph: CallGraph, edge: GraphEdge) -> CallAnswer:
    source, target = graph.node(edge.source), graph.node(edge.target)
    return CallAnswer(
        caller=source.name,
        callee=target.name,
        kind="operation" if target.kind == "operation" else edge.kind,
        place=f"{edge.file}:{edge.line}",
        note=target.note if target.kind == "operation" else source.note,
        context=edge.context,
        finding=edge.finding,
    )


def _unseen(answers: Iterable[FunctionGraphs]) -> tuple[str, ...]:
    """What an empty list of contexts means."""
    without = [a for a in answers if not any(found for _, found in a.contexts)]
    return tuple(
        f"{a.graphs[0].node(a.symbol).name}(): no entry point reaches it in a restricted "
        "execution context in the files that were read; callers elsewhere were not read"
        for a in without
    )


# -- may it sleep -----------------------------------------------------------------------


def may_sleep(
    request: Request,
    function: str,
    arguments: Sequence[str],
    path: str,
    progress: Progress,
    *,
    limit: int,
) -> MaySleepAnswer:
    """Whether a call ``function(arguments...)`` may sleep, for each kind of kernel that
    ``request`` asks for. Arguments are C expressions; what cannot be worked out is not
    known, and the answer is the same for all its values."""
    if NAME.fullmatch(function) is None:
        raise UsageError(f"{function[:80]!r} is not a function name", hint="a C identifier")
    book = rules_of(request)
    rule = book.api(function) or _behind(function, len(arguments), book)
    kinds = {"both": (False, True), "rt": (True,), "nort": (False,)}[request.rt]
    if rule is not None and not (rule.api.inside and not rule.api.requires):
        return _by_rule(book, rule, kinds, arguments)
    return _by_tree(request, function, path, kinds, progress, limit)


def _behind(macro: str, given: int, book: Rulebook) -> ApiRule | None:
    """The rule of what a macro comes down to, one with as many parameters if there is."""
    found = [rule for rule in book.apis.values() if rule.show == macro]
    found.sort(key=lambda rule: (len(rule.params) != given, rule.symbol))
    return found[0] if found else None


def _by_rule(
    book: Rulebook, rule: ApiRule, kinds: Sequence[bool], arguments: Sequence[str]
) -> MaySleepAnswer:
    asked = {
        name
        for case in rule.api.requires
        if case.when
        for name in conditions.parse(case.when).names
    }
    values: dict[str, int | None] = {}
    said = []
    for (name, _), text in zip(rule.params, arguments, strict=False):
        values[name] = _value(text, book)
        if name in asked:
            meaning = f"{values[name]:#x}" if values[name] is not None else "not known"
            said.append(f"{name} = {text[:200]} ({meaning})")
    params = {name for name, _ in rule.params}
    missing = sorted((asked & params) - values.keys())
    said += [f"{name}: not given" for name in missing]

    def find(name: str) -> int | None:
        if name in params:
            return values.get(name)
        constant = book.constants.get(name)
        return None if constant is None else constant.value

    kernels = [
        _answer(rt, requirement(rule, rt, find, (), ()), rule, book) for rt in kinds
    ]  # fmt: skip
    notes = [rule.api.note] if rule.api.note else []
    if rule.api.config is not None:
        notes.append(f"the driver's {rule.api.config.record} decides")
    if rule.api.relaxed_by:
        names = " or ".join(f"{name}()" for name in rule.api.relaxed_by)
        notes.append(f"a file that calls {names} chooses a variant that spins")
    return MaySleepAnswer(
        function=rule.symbol,
        prototype=rule.prototype,
        known_from="rule",
        kernels=tuple(kernels),
        arguments=tuple(said),
        evidence=(f"{rule.source} (rule: {rule.where})",),
        more=0,
        not_known=NotKnown(notes=tuple(notes)),
    )


def _answer(rt: bool, need: Requirement | None, rule: ApiRule, book: Rulebook) -> SleepAnswer:
    kernel = "PREEMPT_RT" if rt else "not PREEMPT_RT"

    def sleeps(level: Wait) -> bool:
        return level == Wait.SLEEP or (rt and level == Wait.CONFIG)

    if need is None or not sleeps(need.most):
        return SleepAnswer(kernel=kernel, answer="does not sleep", why="")
    if not sleeps(need.level):
        found = [case for case in rule.cases(rt) if sleeps(LEVELS[case.level])]
        words = [f"if {case.when}" if case.when else case.why for case in found]
        why = " or ".join(dict.fromkeys(word for word in words if word))
        return SleepAnswer(kernel=kernel, answer="may sleep", why=why)
    answer = "sleeps" if need.certain else "may sleep"
    kind = book.operations.get(rule.api.operation, Operation(title=""))
    usual = kind.why_sleep if need.level == Wait.SLEEP else kind.why_rt
    return SleepAnswer(kernel=kernel, answer=answer, why=need.why or usual)


def _value(text: str, book: Rulebook) -> int | None:
    """The value of a C expression of numbers and of macros that the rules know."""
    known: Mapping[str, int | None] = {
        name: rule.value for name, rule in book.constants.items()
    }
    try:
        return conditions.parse(text[:1000]).evaluate(known.get) if text.strip() else None
    except (RuleError, RecursionError, OverflowError, ValueError, TypeError):
        return None


def _by_tree(
    request: Request,
    function: str,
    path: str,
    kinds: Sequence[bool],
    progress: Progress,
    limit: int,
) -> MaySleepAnswer:
    """The operations below a function of the tree."""
    request = dataclasses.replace(request, reach=1 if request.reach is None else request.reach)
    try:
        request = with_files(request, function, path, progress)
        if not ready(Session.of(request)):
            raise UsageError(f"no profile is prepared that has {' '.join(request.paths)}")
        answers = pipeline.graph(request, function, progress, _WALKED)
    except CtxlintError as error:
        return _nothing(function, kinds, f"no rule covers {function}(), and {error}")
    evidence: list[str] = []
    kernels: dict[str, list[GraphEdge]] = {}
    for answer in answers:
        for graph in answer.graphs:
            kernels.setdefault(graph.profile, []).extend(_waits_below(graph))
            evidence += [_evidence(graph, edge) for edge in _waits_below(graph)]
    said = tuple(_of_tree(kernel, found) for kernel, found in kernels.items())
    shown, more = few(dict.fromkeys(evidence), limit)
    cut = sum(n.more_callees for a in answers for g in a.graphs for n in g.nodes)
    notes = (
        ["conditions and arguments on the path down were not considered"] if evidence else []
    )
    if not evidence:
        notes.append("bodies in other files are read one call deep; deeper ones were not read")
    if cut:
        notes.append(f"{cut} calls further down were not followed")
    return MaySleepAnswer(
        function=function,
        prototype="",
        known_from="tree",
        kernels=said,
        arguments=(),
        evidence=tuple(shown),
        more=more,
        not_known=NotKnown(notes=tuple(notes)),
    )


def _waits_below(graph: CallGraph) -> list[GraphEdge]:
    return [edge for edge in graph.edges if graph.node(edge.target).kind == "operation"]


def _evidence(graph: CallGraph, edge: GraphEdge) -> str:
    source, target = graph.node(edge.source), graph.node(edge.target)
    return (
        f"{edge.file}:{edge.line}: {source.name}() calls {target.name}(), which {target.note}"
    )


def _of_tree(kernel: str, found: Sequence[GraphEdge]) -> SleepAnswer:
    if found:
        many = "1 call" if len(found) == 1 else f"{len(found)} calls"
        return SleepAnswer(
            kernel=kernel, answer="may sleep", why=f"{many} in it or below it may sleep"
        )
    return SleepAnswer(kernel=kernel, answer="not known", why="no call that sleeps was seen")


def _nothing(function: str, kinds: Sequence[bool], why: str) -> MaySleepAnswer:
    return MaySleepAnswer(
        function=function,
        prototype="",
        known_from="",
        kernels=tuple(
            SleepAnswer(
                kernel="PREEMPT_RT" if rt else "not PREEMPT_RT", answer="not known", why=""
            )
            for rt in kinds
        ),
        arguments=(),
        evidence=(),
        more=0,
        not_known=NotKnown(notes=(why,)),
    )
