# SPDX-License-Identifier: GPL-2.0-or-later
"""Generated C, run by the model and by a compiler."""
