# SPDX-License-Identifier: GPL-2.0-or-later
"""Chains of notifiers and other lists that drivers put themselves on.

What lies in memory is the driver's own record (struct notifier_block: function, next,
priority); who is on a chain, and in which order, is kept here by the chain's address.
"""

from __future__ import annotations

from ctxlint.simulator.machine import Machine, primitive
from ctxlint.simulator.runtime.state import Kernel, kernel_of
from ctxlint.simulator.runtime.threads import literal

_PRIORITY = 16
_EEXIST, _ENOENT = 17, 2


class Chains:
    """Blocks by the address of the head, highest priority first; equal ones in the order
    in which they came. ``lists`` are other lists, by name."""

    def __init__(self, kernel: Kernel) -> None:
        self.chains: dict[int, list[tuple[int, int]]] = {}
        self.lists: dict[str, list[int]] = {}

    def of(self, head: int) -> list[tuple[int, int]]:
        return self.chains.setdefault(head, [])


def _chains(m: Machine) -> Chains:
    return kernel_of(m).part(Chains)


@primitive
def model_chain_add(m: Machine, head: int, block: int) -> int:
    """``int model_chain_add(void *head, void *block)``: 0, or -EEXIST."""
    chain = _chains(m).of(head)
    if any(known == block for _, known in chain):
        return -_EEXIST
    raw = int(m.load(block + _PRIORITY, 4))
    priority = raw - (1 << 32) if raw >> 31 else raw
    at = next((i for i, (p, _) in enumerate(chain) if priority > p), len(chain))
    chain.insert(at, (priority, block))
    return 0


@primitive
def model_chain_drop(m: Machine, head: int, block: int) -> int:
    """``int model_chain_drop(void *head, void *block)``: 0, or -ENOENT."""
    chain = _chains(m).of(head)
    for i, (_, known) in enumerate(chain):
        if known == block:
            del chain[i]
            return 0
    return -_ENOENT


@primitive
def model_chain_at(m: Machine, head: int, number: int) -> int:
    """``void *model_chain_at(void *head, int number)``: NULL behind the last."""
    chain = _chains(m).of(head)
    return chain[int(number)][1] if int(number) < len(chain) else 0


@primitive
def model_chain_function(m: Machine, block: int) -> int:
    """``void *model_chain_function(void *block)``."""
    return int(m.l8(block))


@primitive
def model_list_add(m: Machine, name: int, item: int) -> None:
    """``void model_list_add(const char *list, void *item)``: at the end."""
    _chains(m).lists.setdefault(literal(m, name), []).append(item)


@primitive
def model_list_drop(m: Machine, name: int, item: int) -> None:
    """``void model_list_drop(const char *list, void *item)``."""
    items = _chains(m).lists.setdefault(literal(m, name), [])
    if item in items:
        items.remove(item)


@primitive
def model_list_at(m: Machine, name: int, number: int, backwards: int) -> int:
    """``void *model_list_at(const char *list, int number, int backwards)``: NULL behind
    the last."""
    items = _chains(m).lists.get(literal(m, name), [])
    at = int(number)
    if at >= len(items):
        return 0
    return items[-1 - at] if backwards else items[at]


__all__ = ["Chains"]
