# SPDX-License-Identifier: GPL-2.0-or-later
"""The executable model: runs lowered functions and says what the kernel would do.

What runs is the IR that the analysis judged. Below it lies a model of the kernel's
runtime: execution contexts, locks, allocators, CPUs, devices.
"""
