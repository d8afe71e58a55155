# SPDX-License-Identifier: GPL-2.0-or-later
"""The simulator: runs lowered functions and says what the kernel would do.

What runs is the IR that the analysis read. Below it lies a model of the kernel's
runtime (:mod:`ctxlint.simulator.runtime`): execution contexts, locks, allocators, CPUs.
"""
