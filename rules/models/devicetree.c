// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device tree of an arm64 machine with a GICv3: one node for it, one for its ITS, no
 * optional properties. Facts from include/linux/of.h, drivers/of/address.c, base.c.
 */

#define NO_NODE (-1)

void *ioremap(phys_addr_t phys, size_t size);
int strcmp(const char *a, const char *b);

unsigned long of_fwnode_ops[64];

static unsigned char gic_node[4096];
static unsigned char its_node[4096];
static u64 gic_region[2][2]; /* distributor, redistributors: address, bytes */
static u64 its_region[2];

static inline void fill_node(void *node, const char *name)
{
	void *fwnode = model_member_at(node, "struct device_node", "fwnode");

	*(void **)model_member_at(fwnode, "struct fwnode_handle", "ops") = of_fwnode_ops;
	*(const char **)model_member_at(node, "struct device_node", "full_name") = name;
}

/* The node of the machine's GIC; no ITS when its region is empty. */
void *model_gic_node(u64 dist, u64 dist_size, u64 redist, u64 redist_size, u64 its, u64 its_size)
{
	gic_region[0][0] = dist;
	gic_region[0][1] = dist_size;
	gic_region[1][0] = redist;
	gic_region[1][1] = redist_size;
	its_region[0] = its;
	its_region[1] = its_size;
	fill_node(gic_node, "intc@8000000");
	fill_node(its_node, "its@8080000");
	return gic_node;
}

struct model_range {
	u64 start;
	u64 end;
	const char *name;
	unsigned long flags;
};

int of_address_to_resource(void *dev, int index, struct model_range *r)
{
	u64 *region = NULL;

	if (dev == (void *)gic_node && index < 2)
		region = gic_region[index];
	else if (dev == (void *)its_node && index == 0)
		region = its_region;
	if (!region)
		return -EINVAL;
	r->start = region[0];
	r->end = region[0] + region[1] - 1;
	r->flags = 0x200;
	return 0;
}

void *of_iomap(void *np, int index)
{
	struct model_range range;

	if (of_address_to_resource(np, index, &range))
		return NULL;
	return ioremap(range.start, range.end - range.start + 1);
}

void *of_find_matching_node_and_match(void *from, const void *matches, const void **match)
{
	return from == (void *)gic_node && its_region[1] ? its_node : NULL;
}

void *of_find_property(const void *np, const char *name, int *lenp)
{
	return np == (void *)its_node && !strcmp(name, "msi-controller") ? its_node : NULL;
}

bool of_device_is_available(const void *device) { return true; }
int of_device_is_compatible(const void *device, const char *compat) { return 0; }
int of_property_read_variable_u32_array(const void *np, const char *name, u32 *out, size_t min, size_t max) { return -EINVAL; }
int of_property_read_u64(const void *np, const char *name, u64 *out) { return -EINVAL; }
void *of_get_child_by_name(const void *node, const char *name) { return NULL; }
void *of_get_cpu_node(int cpu, unsigned int *thread) { return NULL; }
int of_node_to_nid(void *np) { return NO_NODE; }
void of_node_put(void *node) { }
unsigned int irq_of_parse_and_map(void *node, int index) { return 0; }
bool of_machine_compatible_match(const char *const *compats) { return false; }
