# SPDX-License-Identifier: GPL-2.0-or-later
"""The calls around one function, as they are drawn.

Made by the pipeline, read by ``report/graph_*.py``. Bounded: what is left out
is counted at the node where it would have been.
"""

from __future__ import annotations

import msgspec


class GraphNode(msgspec.Struct, frozen=True, kw_only=True):
    """``kind`` is ``"focus"`` (the function asked for), ``"function"``,
    ``"entry"`` (a registration; ``name`` says as what) or ``"operation"`` (a
    call that may wait; ``note`` says on which kernels).

    ``layer`` is 0 for the focus, negative for its callers, positive for its
    callees. ``contexts`` are the execution contexts that a function is entered
    in, in words, the strictest first; empty when no entry point reaches it in a
    restricted one. ``more_callers`` and ``more_callees`` count what is not drawn.
    """

    id: str
    kind: str
    name: str
    file: str
    line: int
    layer: int
    note: str = ""
    contexts: tuple[str, ...] = ()
    more_callers: int = 0
    more_callees: int = 0


class GraphEdge(msgspec.Struct, frozen=True, kw_only=True):
    """A call, from ``source`` to ``target`` (ids), at its first place.

    ``kind`` is ``"call"``, ``"indirect-call"`` or ``"registration"``. ``sites``
    is the number of places. ``context``: the strictest execution context that
    was followed along it, ``""`` for none. ``finding``: on the path to a finding.
    """

    source: str
    target: str
    kind: str
    file: str
    line: int
    sites: int = 1
    context: str = ""
    finding: bool = False


class CallGraph(msgspec.Struct, frozen=True, kw_only=True):
    """``focus`` is the id of the function; ``profile`` the name of the profile
    that the graph is of. Nodes are in the order of their layers."""

    focus: str
    profile: str
    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]

    def node(self, identity: str) -> GraphNode:
        """Raises KeyError."""
        for node in self.nodes:
            if node.id == identity:
                return node
        raise KeyError(identity)


class FunctionGraphs(msgspec.Struct, frozen=True, kw_only=True):
    """The calls around one function, under each profile.

    ``graphs`` has one for each profile that knows the function; ``contexts``
    the execution contexts that it is entered in, in words, for each profile.
    """

    symbol: str
    graphs: tuple[CallGraph, ...]
    contexts: tuple[tuple[str, tuple[str, ...]], ...]
