# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios: whole systems of the model, from power on to what is observed.

A scenario is data (``rules/scenarios/*.yaml``, :mod:`.schema`): a driver, a machine,
steps, and what is expected. :mod:`.runner` does the steps in a :class:`.world.World` and
compares. Verbs and platforms register themselves by name; :mod:`.library` imports
the modules that have some.
"""
