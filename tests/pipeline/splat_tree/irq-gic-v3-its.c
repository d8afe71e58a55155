// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Written for the tests: a pending table that is reserved while its CPU comes up, with a
 * warning around the reservation as in 2022, and a warning that cannot give an errno.
 */
#include <linux/efi.h>
#include <linux/io.h>
#include <linux/kernel.h>

static unsigned long table;
static bool programmed;

static bool gic_check_reserved_range(unsigned long addr)
{
	return addr != 0;
}

static int gic_reserve_range(unsigned long addr)
{
	return efi_mem_reserve_persistent(addr, 65536);
}

static void its_cpu_init_lpis(void)
{
	if (programmed) {
		WARN_ON(!gic_check_reserved_range(table));
		return;
	}
	WARN_ON(gic_reserve_range(table));
}

int its_cpu_init(void)
{
	if (!table)
		return 0;
	its_cpu_init_lpis();
	return 0;
}
