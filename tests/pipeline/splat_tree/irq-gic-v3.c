// SPDX-License-Identifier: GPL-2.0-or-later
/* Written for the tests: the shape that the callback had in 2022, nothing else. */
#include <linux/cpu.h>
#include <linux/irqchip.h>
#include <linux/kernel.h>

int its_cpu_init(void);

static int gic_starting_cpu(unsigned int cpu)
{
	return its_cpu_init();
}

static int __init gic_of_init(struct device_node *node, struct device_node *parent)
{
	cpuhp_setup_state_nocalls(CPUHP_AP_IRQ_GIC_STARTING, "irqchip/arm/gicv3:starting",
				  gic_starting_cpu, NULL);
	return 0;
}
IRQCHIP_DECLARE(gic_v3, "arm,gic-v3", gic_of_init);
