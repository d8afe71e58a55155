# SPDX-License-Identifier: GPL-2.0-or-later
"""The report as SARIF 2.1.0, for editors and code-review services.

Shaped by what consumers do with it: GitHub follows an alert by path, rule id and
``primaryLocationLineHash`` and shows a limited number of locations; the VS Code
viewer shows the first thread flow alone, indents by ``nestingLevel`` from 1,
draws a stack only if it has a message, and shows related locations only where
the message links to them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import msgspec
import sarif_om as om

from ctxlint.base.errors import UsageError
from ctxlint.findings.checkdoc import CheckDoc
from ctxlint.findings.fingerprint import VERSION, line_hashes
from ctxlint.findings.model import BaselineEntry, Finding, Result, Step
from ctxlint.report.clean import clean
from ctxlint.report.ranking import worst_first
from ctxlint.report.sarif_json import to_json
from ctxlint.report.sarif_parts import (
    BASE,
    columns_of,
    descriptor_of,
    logical_of,
    quoted,
    rule_of,
    safe,
    sentence,
    snippet_of,
    source_root,
)
from ctxlint.report.witness import (
    call_of,
    call_stack,
    context_changes,
    depths,
    note_of,
    verdict_of,
)

SCHEMA_URI = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

# Limits of GitHub code scanning: a run with more results than the first is
# refused, and of fewer it keeps the second number; it shows as many steps of a
# thread flow and as many locations of a result; a rule with more tags is refused.
MAX_RESULTS = 25_000
KEPT_RESULTS = 5_000
MAX_STEPS = 1_000
_MAX_NOTIFICATIONS = 1_000

_EXITS = {
    0: "no findings to fail on",
    1: "findings",
    2: "wrong usage",
    3: "incomplete: something could not be analysed",
}

_NOTIFICATIONS = {
    "unit-not-analysed": (
        "A translation unit could not be analysed.",
        "The unit did not parse or took too long. Its contents were not analysed, so the "
        "absence of findings says nothing about it.",
    ),
    "path-not-analysed": (
        "A named or changed file was not analysed.",
        "No analysed configuration compiles it, or no unit that was read includes it, so the "
        "absence of findings says nothing about it.",
    ),
    "limit-reached": (
        "A limit of the analysis dropped something in a function.",
        "The function has more execution contexts or paths than the analysis follows. "
        "Findings in it, or in its callees, may be missing.",
    ),
    "patch-not-analysed": (
        "A part of a patch series was not analysed.",
        "A patch is missing, cannot be read, or is read differently by other tools. It was "
        "not analysed, so the absence of findings says nothing about it.",
    ),
    "file-not-covered": (
        "No profile compiles the file.",
        "The file lies in an audited directory, but no analysed configuration builds it. "
        "Another architecture or configuration may.",
    ),
    "unknown-callee": (
        "The behaviour of a called function is not known.",
        "The function has neither an analysed body nor a rule, or the target of an indirect "
        "call was not found. It is assumed not to sleep.",
    ),
    "run-note": (
        "Something about this run that its reader has to know.",
        "Findings hidden by a settings file of the tree, rules that do not fit the tree, and "
        "findings that are shown only on request.",
    ),
    "results-cut": (
        "Something was left out of this file.",
        "Consumers of this format limit the number of entries. The JSON output has them all.",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the result itself does not know.

    ``source_root``: absolute path of the tree, where viewers find the sources;
    without it the output does not depend on the machine. ``repository_uri``:
    where the tree was cloned from; the revision is written only with it, as the
    format wants both. ``category``: distinguishes several uploads for one commit;
    by default the profiles. ``exit_code``: by default 3 for an incomplete run,
    else 1 with findings, else 0. ``information_uri``: the tool's home page.
    """

    source_root: str | None = None
    repository_uri: str | None = None
    category: str | None = None
    exit_code: int | None = None
    information_uri: str | None = None


def render(result: Result, docs: Sequence[CheckDoc], options: Options | None = None) -> str:
    """The result as SARIF; ``docs`` become the rules.

    Raises UsageError when a finding's check has no doc (a result of another version).
    """
    rules = sorted(docs, key=lambda doc: doc.id)
    missing = {f.check for f in (*result.findings, *result.hidden)} - {doc.id for doc in rules}
    if missing:
        names = ", ".join(safe(name)[:40] for name in sorted(missing)[:3])
        raise UsageError(f"the result has checks that this version does not know: {names}")
    run = _Run(result, rules, options or Options())
    return to_json(om.SarifLog(schema_uri=SCHEMA_URI, version="2.1.0", runs=[run.build()]))


class _Run:
    """Builds the one run; keeps the indices of rules and artifacts."""

    def __init__(self, result: Result, rules: Sequence[CheckDoc], options: Options) -> None:
        self.result = result
        self.rules = rules
        self.options = options
        self.rule_index = {doc.id: index for index, doc in enumerate(rules)}
        self.hashes = line_hashes((*result.findings, *result.hidden))
        self.files = sorted(_files(result))
        self.file_index = {file: index for index, file in enumerate(self.files)}

    def build(self) -> Any:
        result, options = self.result, self.options
        category = options.category or "ctxlint/" + "+".join(
            sorted(profile.name for profile in result.profiles)
        )
        return om.Run(
            tool=om.Tool(driver=self._driver()),
            automation_details=om.RunAutomationDetails(id=category.rstrip("/") + "/"),
            invocations=[self._invocation()],
            original_uri_base_ids={BASE: source_root(options.source_root)},
            version_control_provenance=self._provenance(),
            artifacts=[
                om.Artifact(location=self._artifact(file), source_language="c")
                for file in self.files
            ],
            results=self._results(),
            column_kind="utf16CodeUnits",
            default_source_language="c",
            properties={
                "kernelVersion": result.tree.version,
                "profiles": [
                    {
                        "name": profile.name,
                        "arch": profile.arch,
                        "preemptRt": profile.rt,
                        "config": profile.config,
                    }
                    for profile in result.profiles
                ],
                "statistics": dict(sorted(result.statistics.items())),
                "unknownCallees": len(result.unknown_callees),
            },
        )

    def _driver(self) -> Any:
        tool = self.result.tool
        semantic = re.match(r"\d+\.\d+\.\d+", tool.version)
        return om.ToolComponent(
            name=tool.name,
            version=tool.version,
            semantic_version=semantic.group() if semantic else None,
            information_uri=self.options.information_uri,
            rules=[rule_of(doc) for doc in self.rules],
            notifications=[
                descriptor_of(kind, short, full)
                for kind, (short, full) in _NOTIFICATIONS.items()
            ],
        )

    def _invocation(self) -> Any:
        result = self.result
        code = self.options.exit_code
        if code is None:
            code = 3 if result.incomplete or result.gaps else 1 if result.findings else 0
        return om.Invocation(
            # A run that missed units must not pass for a clean one.
            execution_successful=not (result.incomplete or result.gaps) and code in (0, 1),
            exit_code=code,
            exit_code_description=_EXITS.get(code, "unknown"),
            tool_execution_notifications=self._notifications(),
            working_directory=om.ArtifactLocation(uri_base_id=BASE)
            if self.options.source_root is None
            else source_root(self.options.source_root),
        )

    def _notifications(self) -> list[Any]:
        result = self.result
        notes = []
        for note in result.notes:
            notes.append(self._notification("run-note", "warning", safe(f"{note}.")))
        for unit in result.incomplete:
            under = f" under {unit.profile}" if unit.profile else ""
            what = "Not all was analysed" if unit.kind == "limit" else "Not analysed"
            text = safe(f"{what}{under}: {unit.reason}.")
            if unit.detail:
                text += " " + safe(unit.detail)
            kind = {"limit": "limit-reached", "path": "path-not-analysed"}.get(
                unit.kind, "unit-not-analysed"
            )
            notes.append(self._notification(kind, "error", text, unit.file, unit.line))
        for gap in result.gaps:
            text = sentence("Not all of the series was analysed: " + safe(gap))
            notes.append(self._notification("patch-not-analysed", "error", text))
        for file in result.uncovered:
            text = "Not analysed: no profile compiles this file."
            notes.append(self._notification("file-not-covered", "note", text, file))
        for callee in result.unknown_callees:
            text = safe(
                f"Unknown callee '{callee.callee}': {callee.reason} "
                f"(calls: {callee.count}, for example {callee.example})."
            )
            notes.append(self._notification("unknown-callee", "note", text))
        left_out = len(notes) - _MAX_NOTIFICATIONS
        if left_out > 0:
            del notes[_MAX_NOTIFICATIONS:]
            text = f"{left_out} more notifications; the JSON output has them all."
            notes.append(self._notification("results-cut", "note", text))
        total = len(result.findings) + len(result.hidden) + len(result.stale)
        if total > MAX_RESULTS:
            text = f"{total - MAX_RESULTS} more findings; the JSON output has them all."
            notes.append(self._notification("results-cut", "warning", text))
        if total > KEPT_RESULTS:
            text = f"GitHub keeps {KEPT_RESULTS} results of a run; the worst come first."
            notes.append(self._notification("results-cut", "note", text))
        return notes

    def _notification(
        self, kind: str, level: str, text: str, file: str | None = None, line: int = 0
    ) -> Any:
        location = om.Location(
            physical_location=om.PhysicalLocation(
                artifact_location=self._artifact(file or ""),
                region=om.Region(start_line=line) if line else None,
            )
        )
        return om.Notification(
            descriptor=om.ReportingDescriptorReference(id=kind),
            level=level,
            message=om.Message(text=text),
            locations=[location] if file else None,
        )

    def _provenance(self) -> list[Any] | None:
        if not self.options.repository_uri:
            return None
        return [
            om.VersionControlDetails(
                repository_uri=self.options.repository_uri,
                revision_id=self.result.tree.commit,
                mapped_to=om.ArtifactLocation(uri_base_id=BASE),
            )
        ]

    def _results(self) -> list[Any]:
        """The worst first, so that what consumers cut off is the least."""
        result = self.result
        found = [*worst_first(result.findings), *worst_first(result.hidden)][:MAX_RESULTS]
        gone = result.stale[: MAX_RESULTS - len(found)]
        return [*map(self._result, found), *map(self._absent, gone)]

    def _absent(self, entry: BaselineEntry) -> Any:
        """A finding that the baseline knows and that is no more. Its line is not
        known; the first one stands for the file, as consumers want a region."""
        index = self.rule_index.get(entry.check, -1)
        call = safe(call_of(entry.callee))
        where = f" in '{safe(entry.function)}'" if entry.function else ""
        return om.Result(
            rule_id=clean(entry.check),
            rule_index=index,
            level=self.rules[index].level if index >= 0 else "warning",
            message=om.Message(text=f"No longer found: {call}{where}."),
            locations=[
                om.Location(
                    physical_location=om.PhysicalLocation(
                        artifact_location=self._artifact(entry.file),
                        region=om.Region(start_line=1),
                    ),
                    logical_locations=logical_of(entry.function),
                )
            ],
            partial_fingerprints={VERSION: entry.fingerprint},
            baseline_state="absent",
            suppressions=[] if self.result.hidden else None,
        )

    def _suppressions(self, finding: Finding) -> list[Any] | None:
        """Empty means "not suppressed", none means "not known" in the format."""
        if not self.result.hidden:
            return None
        return [
            om.Suppression(
                kind=why.kind,
                justification=clean(why.reason) or None,
                location=om.Location(
                    physical_location=om.PhysicalLocation(
                        artifact_location=self._artifact(why.file),
                        region=om.Region(start_line=why.line),
                    )
                )
                if why.file and why.line
                else None,
            )
            for why in finding.suppressed
        ]

    def _result(self, finding: Finding) -> Any:
        path = _shortened(finding)
        related = self._related(path)
        return om.Result(
            rule_id=finding.check,
            rule_index=self.rule_index[finding.check],
            level=finding.severity,
            message=om.Message(text=_message(path, related)),
            locations=[
                om.Location(
                    physical_location=self._physical(
                        finding.file,
                        finding.line,
                        columns_of(finding.text, finding.column, finding.callee),
                        finding.text,
                    ),
                    logical_locations=logical_of(finding.function),
                )
            ],
            code_flows=[self._code_flow(path)] if path.path else None,
            stacks=[self._stack(path)] if path.path else None,
            related_locations=[location for _, location in related] or None,
            partial_fingerprints={
                VERSION: finding.fingerprint,
                "primaryLocationLineHash": self.hashes[finding.file, finding.line],
            },
            baseline_state=finding.baseline_state,
            suppressions=self._suppressions(finding),
            properties=_properties(finding),
        )

    def _related(self, finding: Finding) -> list[tuple[Step, Any]]:
        """The registration and every change of the execution context."""
        related: list[tuple[Step, Any]] = []
        for index, step in enumerate(finding.path):
            if step.kind in ("registration", "state"):
                location = self._location(step, safe(note_of(finding, index)))
                location.id = len(related) + 1
                related.append((step, location))
        return related

    def _code_flow(self, finding: Finding) -> Any:
        levels = depths(finding.path)
        locations = []
        contexts = context_changes(finding.path)
        for index, step in enumerate(finding.path):
            text = safe(note_of(finding, index))
            if contexts[index]:
                text += f" => {safe(contexts[index])}"
            locations.append(
                om.ThreadFlowLocation(
                    location=self._location(step, text),
                    nesting_level=levels[index],
                    execution_order=index + 1,
                    kinds=[step.kind],
                    importance="essential" if step.kind != "call" else "important",
                )
            )
        text = f"From the registration to {safe(call_of(finding.callee))}"
        return om.CodeFlow(
            message=om.Message(text=text + "."),
            thread_flows=[om.ThreadFlow(id=finding.profiles[0], locations=locations)]
            if finding.profiles
            else [om.ThreadFlow(locations=locations)],
        )

    def _stack(self, finding: Finding) -> Any:
        """Innermost frame first, as stacks are printed."""
        return om.Stack(
            message=om.Message(text=f"Call stack at {safe(call_of(finding.callee))}."),
            frames=[
                om.StackFrame(location=self._location(step, safe(call_of(step.function))))
                for step in reversed(call_stack(finding.path))
            ],
        )

    def _location(self, step: Step, text: str) -> Any:
        return om.Location(
            physical_location=self._physical(
                step.file, step.line, columns_of(step.text, step.column, ""), step.text
            ),
            logical_locations=logical_of(step.function),
            message=om.Message(text=text),
        )

    def _physical(self, file: str, line: int, columns: tuple[int, int], text: str) -> Any:
        start, end = columns
        region = om.Region(
            start_line=line, start_column=start, end_column=end if end > start else None
        )
        if end > start:
            units = text.encode("utf-16-le", "replace")[2 * (start - 1) : 2 * (end - 1)]
            region.snippet = om.ArtifactContent(
                text=clean(units.decode("utf-16-le", "replace"))
            )
        whole_line = om.Region(start_line=line, snippet=snippet_of(text))
        return om.PhysicalLocation(
            artifact_location=self._artifact(file),
            region=region,
            context_region=whole_line if text else None,
        )

    def _artifact(self, file: str) -> Any:
        index = self.file_index.get(file, -1)
        if PurePosixPath(file).is_absolute():
            return om.ArtifactLocation(uri="file://" + quoted(file), index=index)
        return om.ArtifactLocation(uri=quoted(file), uri_base_id=BASE, index=index)


def _properties(finding: Finding) -> dict[str, Any]:
    if not finding.operation:  # it speaks of a comment
        return {"profiles": list(finding.profiles)}
    return {
        "callee": clean(finding.callee),
        "operation": clean(finding.operation),
        "certainty": finding.certainty,
        "preemptRtOnly": finding.rt_only,
        "profiles": list(finding.profiles),
        "executionContext": clean(finding.context.text),
        "entryPoint": clean(finding.entry.function),
        **({"origin": clean(finding.origin.text)} if finding.origin is not None else {}),
        "assumptions": [clean(assumption) for assumption in finding.assumptions],
        **({"verdict": finding.verdict} if finding.verdict is not None else {}),
    }


def _message(finding: Finding, related: list[tuple[Step, Any]]) -> str:
    """Sentences; links ``[text](id)`` are the only way to related locations."""
    entry = finding.entry
    sentences = [sentence(safe(finding.message))]
    if not finding.operation:  # it speaks of a comment
        return sentences[0]
    for step, location in related:
        place = safe(f"{step.file}:{step.line}")
        head = "Entry point" if step.kind == "registration" else "Then"
        sentences.append(f"{head}: {location.message.text} at [{place}]({location.id}).")
    if not related:
        state = f" for {entry.state}" if entry.state else ""
        sentences.append(safe(f"Entry point: '{entry.function}'{state}."))
    sentences.append(sentence("Execution context: " + safe(finding.context.text)))
    sentences.append(sentence("Why it sleeps: " + safe(finding.why)))
    if finding.verdict == "refuted":
        text = f"Verdict of the model: {verdict_of(finding)}"
        sentences.append(sentence(safe(text)))
    kernels = "PREEMPT_RT kernels only" if finding.rt_only else "every kernel"
    sentences.append(f"Bug on {kernels}; seen in {safe(', '.join(finding.profiles))}.")
    if finding.assumptions:
        conditions = "; ".join(safe(assumption) for assumption in finding.assumptions)
        sentences.append(sentence(f"A bug only if: {conditions}"))
    return " ".join(sentences)


def _files(result: Result) -> set[str]:
    files = {unit.file for unit in result.incomplete} | set(result.uncovered)
    for finding in (*result.findings, *result.hidden):
        files.add(finding.file)
        files.update(step.file for step in finding.path)
        files.update(why.file for why in finding.suppressed if why.file)
    return files | {entry.file for entry in result.stale}


def _shortened(finding: Finding) -> Finding:
    if len(finding.path) <= MAX_STEPS:
        return finding
    path = finding.path[: MAX_STEPS - 1] + finding.path[-1:]
    return msgspec.structs.replace(finding, path=path)
