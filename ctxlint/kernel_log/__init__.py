# SPDX-License-Identifier: GPL-2.0-or-later
"""Splats: what the kernel prints when it catches itself in a forbidden place.

``types`` has a record for each kind, ``parse`` reads them out of a log, ``format``
prints them as the kernel does, ``context`` names the execution context that a splat
was printed in, and ``match`` and ``paths`` find what the analysis knows about it.
"""
