# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole program of one profile: symbols linked, objects and what their members hold,
execution contexts carried from entry points along calls.
"""
