/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flags and annotations of allocations. Facts from include/linux/gfp_types.h and
 * include/linux/sched/mm.h.
 */

/* The numbers of the bits are those of the image; they move between versions. */
static inline gfp_t gfp_bit(const char *name, int usual) { return 1u << model_enum(name, usual); }
static inline gfp_t gfp_zero(void) { return gfp_bit("___GFP_ZERO_BIT", 8); }
static inline gfp_t gfp_reclaim(void) { return gfp_bit("___GFP_DIRECT_RECLAIM_BIT", 10); }

static inline gfp_t gfp_kernel(void)
{
	return gfp_reclaim() | gfp_bit("___GFP_KSWAPD_RECLAIM_BIT", 11) | gfp_bit("___GFP_IO_BIT", 6) |
	       gfp_bit("___GFP_FS_BIT", 7);
}

static inline void might_alloc(gfp_t flags)
{
	if (flags & gfp_reclaim())
		__might_sleep("include/linux/sched/mm.h", 321);
}

static inline void cond_resched_at(const char *file, int line)
{
	__might_resched(file, line, 0);
	model_point("resched", NULL);
}

static inline bool in_interrupt(void)
{
	return (model_preempt_count() & 0xffff00) || model_softirq_disabled();
}

struct page *__alloc_pages_noprof(gfp_t gfp, unsigned int order, int nid, void *nodemask);
void __free_pages(struct page *page, unsigned int order);
void *__kmalloc_noprof(size_t size, gfp_t flags);
void *__kmalloc_node_noprof(size_t size, gfp_t flags, int node);
void *__kmalloc_cache_noprof(void *s, gfp_t flags, size_t size);
void *__kmalloc_cache_node_noprof(void *s, gfp_t flags, int node, size_t size);
void *kmem_cache_alloc_node_noprof(void *s, gfp_t flags, int node);
void kfree(const void *object);
