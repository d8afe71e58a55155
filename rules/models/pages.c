// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The page allocator. Facts from mm/page_alloc.c, include/linux/gfp.h and
 * arch/arm64/include/asm/memory.h; the nesting of functions is that of the recorded
 * call traces.
 *
 * Up to order 3 pages come from a list of the CPU, whose lock is only tried; the
 * zone's lock is taken when that list is empty (or full, for a free), which nobody can
 * know in advance.
 */

#define COSTLY_ORDER 3

static unsigned long zone_lock[8];
static unsigned long pcp_lock[512][8];

static inline bool lock_list(void)
{
	void *lock = pcp_lock[model_cpu()];

#ifdef MODEL_RT
	return rt_spin_trylock(lock);
#else
	preempt_count_add(1);
	if (model_trylock(lock, EXCLUSIVE | TRY))
		return true;
	preempt_count_sub(1);
	return false;
#endif
}

static inline void unlock_list(void)
{
	void *lock = pcp_lock[model_cpu()];

#ifdef MODEL_RT
	rt_spin_unlock(lock);
#else
	model_unlock(lock, EXCLUSIVE);
	preempt_count_sub(1);
#endif
}

static inline void touch_zone(void)
{
	unsigned long flags = lock_irqsave(zone_lock);

	unlock_irqrestore(zone_lock, flags);
}

/* allocation */

static void __rmqueue_pcplist(void) { touch_zone(); }

static void *get_page_from_freelist(unsigned int order)
{
	if (order <= COSTLY_ORDER && lock_list()) {
		if (model_may("pages: the list of this CPU is empty", 0)) {
			__rmqueue_pcplist();
			model_may_end();
		}
		unlock_list();
	} else {
		touch_zone();
	}
	return model_alloc_pages(order);
}

struct page *__alloc_pages_noprof(gfp_t gfp, unsigned int order, int nid, void *nodemask)
{
	if (order > 10)
		return NULL;
	might_alloc(gfp);
	if (model_fail("pages"))
		return NULL;
	return get_page_from_freelist(order);
}

#ifdef MODEL_NUMA
struct page *alloc_pages_mpol_noprof(gfp_t gfp, unsigned int order, void *pol, unsigned long ilx, int nid)
{
	return __alloc_pages_noprof(gfp, order, nid, NULL);
}

struct page *alloc_pages_noprof(gfp_t gfp, unsigned int order)
{
	return alloc_pages_mpol_noprof(gfp, order, NULL, 0, 0);
}
#else
inline struct page *alloc_pages_noprof(gfp_t gfp, unsigned int order)
{
	return __alloc_pages_noprof(gfp, order, 0, NULL);
}
#endif

inline struct page *alloc_pages_node_noprof(int nid, gfp_t gfp, unsigned int order)
{
	return __alloc_pages_noprof(gfp, order, nid, NULL);
}

inline struct page *__alloc_pages_node_noprof(int nid, gfp_t gfp, unsigned int order)
{
	return __alloc_pages_noprof(gfp, order, nid, NULL);
}

unsigned long get_free_pages_noprof(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages_noprof(gfp, order);

	return page ? (unsigned long)model_page_address(page) : 0;
}

unsigned long get_zeroed_page_noprof(gfp_t gfp)
{
	return get_free_pages_noprof(gfp | gfp_zero(), 0);
}

unsigned long alloc_pages_bulk_noprof(gfp_t gfp, int nid, void *nodemask, int nr, void *list, struct page **pages)
{
	int got = 0;

	while (got < nr) {
		struct page *page = __alloc_pages_noprof(gfp, 0, nid, NULL);

		if (!page)
			break;
		pages[got++] = page;
	}
	return got;
}

/* release */

static void free_one_page(void) { touch_zone(); }
static void __free_pages_ok(void) { free_one_page(); }
static void free_pcppages_bulk(void) { touch_zone(); }

static void free_unref_page_commit(void)
{
	if (model_may("pages: the list of this CPU is full", 0)) {
		free_pcppages_bulk();
		model_may_end();
	}
}

static void free_unref_page(unsigned int order)
{
	if (order > COSTLY_ORDER) {
		__free_pages_ok();
	} else if (lock_list()) {
		free_unref_page_commit();
		unlock_list();
	} else {
		free_one_page();
	}
}

void __free_pages(struct page *page, unsigned int order)
{
	free_unref_page(order);
	model_free_pages(page, order);
}

void free_pages(unsigned long addr, unsigned int order)
{
	if (addr)
		__free_pages(model_virt_to_page((void *)addr), order);
}

/* what the compiler cannot fold */

inline void *page_to_virt(const struct page *page) { return model_page_address(page); }
u64 memstart_addr;
u64 kimage_voffset;
unsigned long page_offset_base;
unsigned long vmemmap_base;
unsigned long vmalloc_base;
unsigned long phys_base;

void model_boot_memory(void)
{
	memstart_addr = model_variable("memstart_addr", 0);
	kimage_voffset = model_variable("kimage_voffset", 0);
	page_offset_base = model_variable("page_offset_base", 0);
	vmemmap_base = model_variable("vmemmap_base", 0);
	vmalloc_base = model_variable("vmalloc_base", 0);
	phys_base = model_variable("phys_base", 0);
	model_boot_resources();
}
