// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mappings in the kernel's address space. Facts from mm/vmalloc.c, mm/ioremap.c,
 * arch/arm64/mm/ioremap.c, kernel/iomem.c and kernel/resource.c.
 */

static unsigned long vmap_lock[8];
static unsigned long busy_lock[8];

static inline void touch(void *lock)
{
	unsigned long flags = lock_irqsave(lock);

	unlock_irqrestore(lock, flags);
}

/* Plain spin_lock(): the flag of interrupts is not touched. */
static inline void visit(void *lock)
{
#ifdef MODEL_RT
	touch(lock);
#else
	preempt_count_add(1);
	model_spin_lock(lock, EXCLUSIVE, 0);
	model_unlock(lock, EXCLUSIVE);
	preempt_count_sub(1);
#endif
}

static void alloc_vmap_area(gfp_t gfp)
{
	void *area;

	__might_sleep("mm/vmalloc.c", 2030);
	area = kmem_cache_alloc_node_noprof(NULL, gfp, 0);
	if (area)
		model_free(area); /* the model keeps no areas */
	visit(vmap_lock);
}

static bool __get_vm_area_node(gfp_t gfp)
{
	void *area;

	if (in_interrupt())
		model_panic("kernel BUG at mm/vmalloc.c:3177!");
	area = __kmalloc_cache_node_noprof(NULL, gfp, 0, 64);
	if (!area)
		return false;
	model_free(area);
	alloc_vmap_area(gfp);
	return true;
}

static void find_unlink_vmap_area(void) { visit(busy_lock); }
static void free_vmap_area_noflush(void) { visit(vmap_lock); }
static void __vunmap_range_noflush(void) { cond_resched_at("mm/vmalloc.c", 431); }

static void remove_vm_area(void)
{
	__might_sleep("mm/vmalloc.c", 3289);
	find_unlink_vmap_area();
	__vunmap_range_noflush();
	free_vmap_area_noflush();
}

/* vmalloc(): the pages lie together, which they need not */

unsigned long alloc_pages_bulk_noprof(gfp_t gfp, int nid, void *nodemask, int nr, void *list, struct page **pages);

static void *__vmalloc_node_range_noprof(size_t size, gfp_t gfp)
{
	int nr = (int)((size + 4095) / 4096);
	struct page **pages;
	void *area;

	if (!size || model_fail("vmalloc") || !__get_vm_area_node(gfp))
		return NULL;
	pages = __kmalloc_node_noprof(8 * (size_t)nr, gfp, 0);
	if (!pages)
		return NULL;
	alloc_pages_bulk_noprof(gfp, 0, NULL, nr, NULL, pages);
	cond_resched_at("mm/vmalloc.c", 3634);
	for (int i = 0; i < nr; i++)
		model_free_pages(pages[i], 0);
	model_free(pages);
	area = model_alloc(size);
	return area;
}

void *vmalloc_noprof(unsigned long size) { return __vmalloc_node_range_noprof(size, gfp_kernel()); }
void *vzalloc_noprof(unsigned long size) { return __vmalloc_node_range_noprof(size, gfp_kernel() | gfp_zero()); }

void *__vmalloc_node_noprof(unsigned long size, unsigned long align, gfp_t gfp, int node, const void *caller)
{
	return __vmalloc_node_range_noprof(size, gfp);
}

void vfree(const void *addr)
{
	int nr;

	if (in_interrupt()) { /* left to a work item */
		model_free(addr);
		return;
	}
	__might_sleep("mm/vmalloc.c", 3419);
	if (!addr)
		return;
	remove_vm_area();
	nr = (int)((model_size(addr) + 4095) / 4096);
	for (int i = 0; i < nr; i++)
		cond_resched_at("mm/vmalloc.c", 3444);
	model_free(addr);
}

void vunmap(const void *addr)
{
	if (in_interrupt())
		model_panic("kernel BUG at mm/vmalloc.c:3466!");
	__might_sleep("mm/vmalloc.c", 3467);
	if (addr)
		remove_vm_area();
}

/* ioremap() */

static bool __get_vm_area_caller(void) { return __get_vm_area_node(gfp_kernel()); }
static void vmap_range_noflush(void) { __might_sleep("mm/vmalloc.c", 344); }
static void ioremap_page_range(void) { vmap_range_noflush(); }

static void *generic_ioremap_prot(phys_addr_t phys, size_t size)
{
	if (!size || model_fail("ioremap") || !__get_vm_area_caller())
		return NULL;
	ioremap_page_range();
	return model_map(phys, size, "registers");
}

void *__ioremap_prot(phys_addr_t phys, size_t size, unsigned long prot) { return generic_ioremap_prot(phys, size); }
inline void *ioremap_prot(phys_addr_t phys, size_t size, unsigned long prot) { return __ioremap_prot(phys, size, prot); }
inline void *ioremap(phys_addr_t phys, size_t size) { return __ioremap_prot(phys, size, 0); }
inline void *ioremap_cache(phys_addr_t phys, size_t size) { return __ioremap_prot(phys, size, 0); }

void iounmap(void *addr)
{
	vunmap(addr);
	model_unmap(addr);
}

/* memremap(): ordinary memory is there already */

#define REGION_INTERSECTS 0
#define REGION_DISJOINT 1
#define MEMREMAP_WB 1ul

extern unsigned long resource_lock[8];
void rt_read_lock(void *lock);
void rt_read_unlock(void *lock);
void _raw_read_lock(void *lock);
void _raw_read_unlock(void *lock);

int region_intersects(resource_size_t start, size_t size, unsigned long flags, unsigned long desc)
{
	int ram;

#ifdef MODEL_RT
	rt_read_lock(resource_lock);
	ram = model_is_ram(start, size);
	rt_read_unlock(resource_lock);
#else
	_raw_read_lock(resource_lock);
	ram = model_is_ram(start, size);
	_raw_read_unlock(resource_lock);
#endif
	return ram ? REGION_INTERSECTS : REGION_DISJOINT;
}

void *memremap(resource_size_t offset, size_t size, unsigned long flags)
{
	int ram;

	if (!flags)
		return NULL;
	ram = region_intersects(offset, size, 0, 0);
	if (model_fail("memremap"))
		return NULL;
	if (ram == REGION_INTERSECTS) {
		if (flags & MEMREMAP_WB)
			return model_phys_to_virt(offset);
		model_warn("kernel/iomem.c", 104, "memremap attempted on ram");
		return NULL;
	}
	return __ioremap_prot(offset, size, 0);
}

void memunmap(void *addr)
{
	if (!model_is_ram(model_virt_to_phys(addr), 1))
		iounmap(addr);
}

/* while booting: fixed mappings, no lock */

void *early_memremap(resource_size_t phys, unsigned long size) { return model_map(phys, size, "memory"); }
void *early_memremap_ro(resource_size_t phys, unsigned long size) { return model_map(phys, size, "memory"); }
void *early_ioremap(resource_size_t phys, unsigned long size) { return model_map(phys, size, "registers"); }
void early_memunmap(void *addr, unsigned long size) { model_unmap(addr); }
void early_iounmap(void *addr, unsigned long size) { model_unmap(addr); }
