// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trees of resources and the early reservations of memory. Facts from
 * kernel/resource.c, include/linux/ioport.h, mm/memblock.c and
 * include/linux/memblock.h.
 */

struct model_resource {
	resource_size_t start;
	resource_size_t end;
	const char *name;
	unsigned long flags;
	unsigned long desc;
	struct model_resource *parent;
	struct model_resource *sibling;
	struct model_resource *child;
};

struct model_resource iomem_resource = { 0, 0xffffffffffffffff, "PCI mem", 0x200 };
struct model_resource ioport_resource = { 0, 0xffff, "PCI IO", 0x100 };
unsigned long resource_lock[8];
static struct model_resource system_ram[8];

void rt_write_lock(void *lock);
void rt_write_unlock(void *lock);
void _raw_write_lock(void *lock);
void _raw_write_unlock(void *lock);

static inline void lock_tree(void)
{
#ifdef MODEL_RT
	rt_write_lock(resource_lock);
#else
	_raw_write_lock(resource_lock);
#endif
}

static inline void unlock_tree(void)
{
#ifdef MODEL_RT
	rt_write_unlock(resource_lock);
#else
	_raw_write_unlock(resource_lock);
#endif
}

/* Children are sorted and do not overlap; the one in the way is returned. */
static inline struct model_resource *insert(struct model_resource *root, struct model_resource *new)
{
	struct model_resource **at = &root->child;

	if (new->end < new->start || new->start < root->start || new->end > root->end)
		return root;
	while (*at && (*at)->end < new->start)
		at = &(*at)->sibling;
	if (*at && (*at)->start <= new->end)
		return *at;
	new->sibling = *at;
	new->parent = root;
	*at = new;
	return NULL;
}

struct model_resource *request_resource_conflict(struct model_resource *root, struct model_resource *new)
{
	struct model_resource *conflict;

	lock_tree();
	conflict = insert(root, new);
	unlock_tree();
	return conflict;
}

/* The compiler merges both into one. */
int request_resource(struct model_resource *root, struct model_resource *new)
{
	struct model_resource *conflict;

	lock_tree();
	conflict = insert(root, new);
	unlock_tree();
	return conflict ? -16 : 0;
}

int release_resource(struct model_resource *old)
{
	struct model_resource **at;
	int ret = -22;

	lock_tree();
	at = old->parent ? &old->parent->child : NULL;
	while (at && *at && *at != old)
		at = &(*at)->sibling;
	if (at && *at) {
		*at = old->sibling;
		old->parent = NULL;
		ret = 0;
	}
	unlock_tree();
	return ret;
}

struct model_resource *__request_region(struct model_resource *parent, resource_size_t start, resource_size_t n, const char *name, int flags)
{
	struct model_resource *res = __kmalloc_cache_noprof(NULL, gfp_kernel() | gfp_zero(), sizeof(struct model_resource));
	struct model_resource *conflict;

	if (!res)
		return NULL;
	res->start = start;
	res->end = start + n - 1;
	res->name = name;
	lock_tree();
	conflict = insert(parent, res);
	unlock_tree();
	if (!conflict)
		return res;
	kfree(res);
	return NULL;
}

/* memblock */

struct memblock_region {
	phys_addr_t base;
	phys_addr_t size;
	unsigned int flags;
	int nid;
};

struct memblock_type {
	unsigned long cnt;
	unsigned long max;
	phys_addr_t total_size;
	struct memblock_region *regions;
	char *name;
};

struct model_memblock {
	bool bottom_up;
	phys_addr_t current_limit;
	struct memblock_type memory;
	struct memblock_type reserved;
};

#define REGIONS 1024

static struct memblock_region memory_regions[REGIONS];
static struct memblock_region reserved_regions[REGIONS];
struct model_memblock memblock = {
	.current_limit = 0xffffffffffffffff,
	.memory = { .max = 128, .regions = memory_regions, .name = "memory" },
	/* arm64 makes room for a table of each CPU (INIT_MEMBLOCK_RESERVED_REGIONS) */
	.reserved = { .max = 128 + 512 + 1, .regions = reserved_regions, .name = "reserved" },
};

/* A full array doubles with kmalloc(GFP_KERNEL) once the slab allocator is there. */
static int memblock_double_array(struct memblock_type *type)
{
	struct memblock_region *array = __kmalloc_noprof(2 * type->max * sizeof(struct memblock_region), gfp_kernel());

	if (!array)
		return -12;
	for (unsigned long i = 0; i < type->cnt; i++)
		array[i] = type->regions[i];
	type->regions = array;
	type->max *= 2;
	return 0;
}

/* Sorted by address; a neighbour or an overlap is merged. */
static int memblock_add_range(struct memblock_type *type, phys_addr_t base, phys_addr_t size)
{
	phys_addr_t end = base + size;
	unsigned long at = 0, last;

	if (!size)
		return 0;
	while (at < type->cnt && type->regions[at].base + type->regions[at].size < base)
		at++;
	last = at;
	while (last < type->cnt && type->regions[last].base <= end) {
		if (type->regions[last].base < base)
			base = type->regions[last].base;
		if (type->regions[last].base + type->regions[last].size > end)
			end = type->regions[last].base + type->regions[last].size;
		last++;
	}
	if (at == last) {
		if (type->cnt == type->max && memblock_double_array(type))
			return -12;
		for (unsigned long i = type->cnt; i > at; i--)
			type->regions[i] = type->regions[i - 1];
		type->cnt++;
	} else if (last > at + 1) {
		for (unsigned long i = last; i < type->cnt; i++)
			type->regions[i - (last - at - 1)] = type->regions[i];
		type->cnt -= last - at - 1;
	}
	type->regions[at].base = base;
	type->regions[at].size = end - base;
	type->regions[at].flags = 0;
	type->total_size = 0;
	for (unsigned long i = 0; i < type->cnt; i++)
		type->total_size += type->regions[i].size;
	return 0;
}

int memblock_reserve(phys_addr_t base, phys_addr_t size)
{
	if (size)
		model_reserve(base, size);
	return memblock_add_range(&memblock.reserved, base, size);
}
int memblock_add(phys_addr_t base, phys_addr_t size) { return memblock_add_range(&memblock.memory, base, size); }
int memblock_mark_mirror(phys_addr_t base, phys_addr_t size) { return 0; }

bool memblock_is_region_reserved(phys_addr_t base, phys_addr_t size)
{
	for (unsigned long i = 0; i < memblock.reserved.cnt; i++) {
		struct memblock_region *region = &memblock.reserved.regions[i];

		if (region->base < base + size && base < region->base + region->size)
			return true;
	}
	return false;
}

/* What a started kernel knows about its memory. */
void model_boot_resources(void)
{
	for (int i = 0; i < 8 && model_ram_size(i); i++) {
		struct model_resource *ram = &system_ram[i];

		ram->start = model_ram_start(i);
		ram->end = ram->start + model_ram_size(i) - 1;
		ram->name = "System RAM";
		ram->flags = 0x1000200; /* IORESOURCE_MEM, IORESOURCE_SYSRAM */
		insert(&iomem_resource, ram);
		memblock_add(ram->start, model_ram_size(i));
	}
}

/* for_each_reserved_mem_range() and its like, without a second type */
void __next_mem_range(u64 *idx, int nid, int flags, struct memblock_type *type_a, struct memblock_type *type_b, phys_addr_t *start, phys_addr_t *end, int *out_nid)
{
	unsigned long at = *idx & 0xffffffff;

	if (at >= type_a->cnt) {
		*idx = ~0ull;
		return;
	}
	if (start)
		*start = type_a->regions[at].base;
	if (end)
		*end = type_a->regions[at].base + type_a->regions[at].size;
	if (out_nid)
		*out_nid = 0;
	*idx = at + 1;
}

/* What is not free on a scenario's machine: the kernel's image, the firmware's data. */
void model_machine(phys_addr_t image, phys_addr_t image_size, phys_addr_t firmware, phys_addr_t firmware_size)
{
	memblock_reserve(image, image_size);
	if (firmware_size)
		memblock_reserve(firmware, firmware_size);
}

/* As if reservations had filled the array. */
void model_entry_fill_reserved(void) { memblock.reserved.max = memblock.reserved.cnt; }
