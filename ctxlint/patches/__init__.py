# SPDX-License-Identifier: GPL-2.0-or-later
"""Patch series: reading them from mail or git, and what the files are after each patch.

A series comes from strangers. ``diff.py`` says which files a patch names and refuses
what no kernel patch needs, ``mail.py`` and ``revisions.py`` find the patches, ``git.py``
runs git so that neither configuration nor content can start a program, ``apply.py``
gives contents. Nothing is written to the user's repository: there is no work tree, no
index and no ref that could be left behind.
"""

from ctxlint.patches.model import FilePatch, Hunk, Patch, PatchError, Series
from ctxlint.patches.series import open_series

__all__ = ["FilePatch", "Hunk", "Patch", "PatchError", "Series", "open_series"]
