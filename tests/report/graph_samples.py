# SPDX-License-Identifier: GPL-2.0-or-later
"""A graph as the pipeline makes it, for the tests of its drawings."""

from __future__ import annotations

import random

import msgspec

from ctxlint.findings.graph import CallGraph, GraphEdge, GraphNode

STATE = "interrupts off, preemption off"
STARTING = f"CPU hotplug STARTING callback: {STATE}"
LILY = "drivers/irqchip/irq-lily.c"
ITS = "drivers/irqchip/irq-lily-its.c"
CONTEXTS = (("arm64-rt", (STARTING, "bottom halves off, RCU read side")), ("arm64", ()))


def node(identity: str, layer: int, kind: str = "function", **more: object) -> GraphNode:
    fields: dict[str, object] = {
        "id": identity, "name": identity, "layer": layer, "kind": kind, "file": LILY,
        "line": 10,
    }  # fmt: skip
    return GraphNode(**(fields | more))  # type: ignore[arg-type]


def edge(source: str, target: str, kind: str = "call", **more: object) -> GraphEdge:
    fields: dict[str, object] = {
        "source": source, "target": target, "kind": kind, "file": LILY, "line": 20,
    }  # fmt: skip
    return GraphEdge(**(fields | more))  # type: ignore[arg-type]


def lily() -> CallGraph:
    return CallGraph(
        focus="lily_cpu_init",
        profile="arm64-rt",
        nodes=(
            node("lily entry", -2, "entry", name="CPUHP_AP_IRQ_LILY_STARTING", line=90,
                 note="CPU hotplug STARTING callback", contexts=(STARTING,)),
            node("lily_probe", -2, line=80),
            node("lily_starting_cpu", -1, contexts=(STARTING,), line=60),
            node("lily_init_bases", -1, more_callers=3, line=70),
            node("lily_cpu_init", 0, "focus", contexts=(STARTING, "RCU read side"), file=ITS),
            node("lily_reset", 1, file=ITS, contexts=("preemptible",)),
            node("lily_tables", 1, file=ITS, contexts=(STARTING,), more_callees=2),
            node("lily_tables kzalloc", 2, "operation", name="kzalloc",
                 note="sleeps on PREEMPT_RT", file=ITS, line=44),
        ),
        edges=(
            edge("lily entry", "lily_starting_cpu", "registration", context=STATE,
                 finding=True, line=90),
            edge("lily_probe", "lily_init_bases", sites=2, line=81),
            edge("lily_starting_cpu", "lily_cpu_init", context=STATE, finding=True, line=61),
            edge("lily_init_bases", "lily_cpu_init", line=71),
            edge("lily_cpu_init", "lily_tables", context=STATE, finding=True, file=ITS,
                 line=11),
            edge("lily_cpu_init", "lily_reset", "indirect-call", file=ITS, line=12),
            edge("lily_reset", "lily_tables", file=ITS, line=13),
            edge("lily_tables", "lily_cpu_init", file=ITS, line=14),
            edge("lily_tables", "lily_tables kzalloc", context=STATE, finding=True, file=ITS,
                 line=44),
        ),
    )  # fmt: skip


def poisoned(text: str) -> CallGraph:
    """``text`` in the middle of every name, note, file and context."""

    def bad(value: str) -> str:
        return value[:3] + text + value[3:]

    graph = lily()
    nodes = tuple(
        msgspec.structs.replace(
            n, id=bad(n.id), name=bad(n.name), file=bad(n.file), note=bad(n.note),
            contexts=tuple(map(bad, n.contexts)),
        )
        for n in graph.nodes
    )  # fmt: skip
    edges = tuple(
        msgspec.structs.replace(
            e, source=bad(e.source), target=bad(e.target), file=bad(e.file),
            context=bad(e.context),
        )
        for e in graph.edges
    )  # fmt: skip
    return CallGraph(
        focus=bad(graph.focus), profile=bad(graph.profile), nodes=nodes, edges=edges
    )


def chance(seed: int) -> CallGraph:
    """Any layered graph with calls forwards, backwards and within a layer."""
    dice = random.Random(seed)
    names = {"f0": 0}
    for layer in [-3, -2, -1, 1, 2, 3]:
        for at in range(dice.randint(1, 7)):
            names[f"f{layer}_{at}"] = layer
    edges = {
        (a, b)
        for a in names
        for b in names
        if names[b] - names[a] <= 1 and dice.random() < 0.15
    }
    return CallGraph(
        focus="f0",
        profile="p",
        nodes=tuple(
            node(name, layer, "focus" if name == "f0" else "function")
            for name, layer in sorted(names.items(), key=lambda item: (item[1], item[0]))
        ),
        edges=tuple(edge(a, b) for a, b in sorted(edges)),
    )
