# SPDX-License-Identifier: GPL-2.0-or-later
"""Hardware and firmware that the model's kernels run on, and that outlives them."""
