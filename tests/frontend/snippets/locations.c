/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "locations.h"

int where(int n)
{
	both(n);
	if (outer(n))
		return used(inner(n));
	return inner(
		call(n)) + gnu(n);
}
