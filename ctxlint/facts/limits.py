# SPDX-License-Identifier: GPL-2.0-or-later
"""The limits of the analysis, and what is lost where one is reached.

Each limit first gives up what no finding depends on (names of locks, then knowledge
about data: fewer ways are ruled out then). Where that is not enough something is
dropped, counted for the function, and the run is incomplete. What makes a run
incomplete and what is only told of is listed in docs/architecture.md.
"""

from __future__ import annotations

STATES_PER_BLOCK = 48
"""Disjuncts at one point of a function."""

VISITS_PER_BLOCK = 400
"""How often a block is interpreted until its states change no more."""

LOOP_ROUNDS = 6
"""A loop that takes a lock in each round is followed so many rounds; further ones
differ in nothing but the number of locks."""

POINTS_PER_CALL = 48
"""Ways in which one call is reached."""

OUTCOMES_MAX = 32
"""Ways to return that differ in execution context."""

VALUES_MAX = 4
"""Ways to return; with more of them, their values are merged."""

NAMED_MAX = 8
"""Ways to return that differ in execution context; with more of them, their locks are
merged where they are of the same kinds."""

TRACKED_MAX = 4
"""Variables of a function whose constants keep disjuncts apart."""

NODES_PER_FUNCTION = 256
"""Execution contexts (and constant arguments) that one function is looked at in."""

OBJECTS_PER_FUNCTION = 48
"""Contexts with known objects as arguments that one function is looked at in; after
that it is looked at for any object, and findings below are no longer certain."""

AMONG_MAX = 2
AMONG_IN_FILE_MAX = 3
"""Functions that a call through a pointer can go to, of an object that is not known, when
a finding below is to be shown without being asked for: with more, it is likely another
object's function. In the file of the call, which chose among them, it may be one more. All
findings of 7.3 that were analysed true (tests/kernel_tree/triage) are shown with these."""

CALLS_MAX = 8
"""Calls between functions of .c files, three files or more, on the way of a finding that is to
be shown without being asked for; twice as many in one or two files. Each of them may depend on
what is not followed, and nobody reads more of them; of the findings of 7.3 that were analysed
true none has more than seven, but for those that repeat the cause of a nearer one."""

KNOWN_MAX = 8
"""Functions that one object that is known can hold in a member, when a finding below is to be
shown without being asked for. With more, the object is a table with an entry for each of
them (the states of CPU hotplug), or is set anew for each call."""

LIMITS = {
    "states": "more than {limit} execution contexts at one point of the function: {count}"
    " of them dropped",
    "values": "too many values of variables at one point of the function: constants"
    " forgotten at {count} points",
    "visits": "a loop whose states still changed after {limit} rounds",
    "points": "more than {limit} ways to reach one call: {count} of them dropped",
    "arguments": "more than {limit} ways to reach one call: its arguments forgotten at"
    " {count} calls",
    "depth": "flags or functions that are computed in too deep an expression: not known"
    " at {count} points",
    "outcomes": "more than {limit} ways to return: {count} of them dropped",
    "saves": "more than {limit} nested saves of the interrupt state, or counts",
    "nodes": "called in more than {limit} execution contexts: {count} of them dropped",
    "constants": "called in more than {limit} execution contexts: constant arguments of"
    " {count} calls forgotten",
}
"""In words, by the key of :class:`ctxlint.facts.summary.Loss`."""

OF_CONTEXTS = frozenset({"states", "visits", "outcomes"})
"""Losses of a function whose execution contexts are not all known: what is found in one of
them, or left to callers, may be a combination of conditions that cannot be."""

_NUMBERS = {
    "states": STATES_PER_BLOCK,
    "visits": VISITS_PER_BLOCK,
    "points": POINTS_PER_CALL,
    "arguments": POINTS_PER_CALL,
    "outcomes": OUTCOMES_MAX,
    "saves": 16,
    "nodes": NODES_PER_FUNCTION,
    "constants": NODES_PER_FUNCTION,
}


def in_words(what: str, count: int) -> str:
    """What was lost, for a report."""
    return LIMITS[what].format(limit=_NUMBERS.get(what, 0), count=count)
