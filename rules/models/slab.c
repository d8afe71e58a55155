// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The slab allocator and per-CPU memory. Facts from mm/slub.c, include/linux/slab.h
 * and mm/percpu.c; the nesting of functions is that of the recorded call traces.
 *
 * Without PREEMPT_RT the usual allocation and release take no lock. With it both take a
 * per-CPU sleeping lock, an allocation always, a release when the object lies in the
 * slab of this CPU.
 */

#define LARGEST 8192

static unsigned long cpu_slab[512][8];
static unsigned long list_lock[8];
static unsigned long pcpu_lock[8];
static unsigned long pcpu_alloc_mutex[8];
void *kmalloc_caches[128][16];

void mutex_lock(void *lock);
void mutex_unlock(void *lock);

#ifdef MODEL_RT
static void new_slab(gfp_t flags)
{
	struct page *page = __alloc_pages_noprof(flags, 0, 0, NULL);

	if (page)
		model_free_pages(page, 0); /* objects lie elsewhere in the model */
}

static void ___slab_alloc(gfp_t flags)
{
	if (!model_state("slab: this CPU has a slab", 1))
		new_slab(flags);
	lock_local(cpu_slab[model_cpu()]);
	unlock_local(cpu_slab[model_cpu()], 0);
}

static inline void slab_alloc(gfp_t flags) { ___slab_alloc(flags); }
#else
static inline void slab_alloc(gfp_t flags) { }
#endif

static inline void *allocate(size_t size, gfp_t flags)
{
	if (!size)
		return (void *)16;
	might_alloc(flags);
	if (model_fail("slab"))
		return NULL;
	slab_alloc(flags);
	return model_alloc(size);
}

static inline unsigned int order_of(size_t size)
{
	unsigned int order = 0;

	while ((4096ul << order) < size)
		order++;
	return order;
}

static void *___kmalloc_large_node(size_t size, gfp_t flags)
{
	struct page *page = __alloc_pages_noprof(flags, order_of(size), 0, NULL);

	if (!page)
		return NULL;
	model_free_pages(page, order_of(size)); /* objects lie elsewhere in the model */
	return model_alloc(size);
}

void *__kmalloc_large_noprof(size_t size, gfp_t flags) { return ___kmalloc_large_node(size, flags); }
void *__kmalloc_large_node_noprof(size_t size, gfp_t flags, int node) { return ___kmalloc_large_node(size, flags); }

void *__kmalloc_noprof(size_t size, gfp_t flags)
{
	if (size > LARGEST)
		return ___kmalloc_large_node(size, flags);
	return allocate(size, flags);
}

void *__kmalloc_node_noprof(size_t size, gfp_t flags, int node)
{
	if (size > LARGEST)
		return ___kmalloc_large_node(size, flags);
	return allocate(size, flags);
}

void *__kmalloc_cache_noprof(void *s, gfp_t flags, size_t size) { return allocate(size, flags); }
void *__kmalloc_cache_node_noprof(void *s, gfp_t flags, int node, size_t size) { return allocate(size, flags); }

/* A size that the compiler knows leads to a function of its own. */
inline void *kmalloc_noprof(size_t size, gfp_t flags)
{
	if (size && size <= LARGEST && model_constant(0))
		return __kmalloc_cache_noprof(NULL, flags, size);
	return __kmalloc_noprof(size, flags);
}

inline void *kmalloc_node_noprof(size_t size, gfp_t flags, int node)
{
	if (size && size <= LARGEST && model_constant(0))
		return __kmalloc_cache_node_noprof(NULL, flags, node, size);
	return __kmalloc_node_noprof(size, flags, node);
}

inline void *kzalloc_noprof(size_t size, gfp_t flags)
{
	if (size && size <= LARGEST && model_constant(0))
		return __kmalloc_cache_noprof(NULL, flags | gfp_zero(), size);
	return __kmalloc_noprof(size, flags | gfp_zero());
}

void *krealloc_noprof(const void *object, size_t size, gfp_t flags)
{
	unsigned char *to;
	size_t old = object ? model_size(object) : 0;

	if (size && size <= old)
		return (void *)object;
	to = __kmalloc_noprof(size, flags);
	for (size_t i = 0; to && i < old; i++)
		to[i] = ((const unsigned char *)object)[i];
	if (to && object)
		kfree(object);
	return to;
}

/* caches: an object's size is the first word */

struct kmem_cache {
	unsigned int size;
};

struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned int size, void *args, unsigned int flags)
{
	struct kmem_cache *cache;

	might_alloc(gfp_kernel());
	cache = model_alloc(sizeof(*cache));
	cache->size = size;
	return cache;
}

static inline size_t size_in(const struct kmem_cache *s) { return s ? s->size : 64; }
void *kmem_cache_alloc_noprof(void *s, gfp_t flags) { return allocate(size_in(s), flags); }
void *kmem_cache_alloc_node_noprof(void *s, gfp_t flags, int node) { return allocate(size_in(s), flags); }

/* release */

#ifdef MODEL_RT
static inline void touch_cpu_slab(void)
{
	lock_local(cpu_slab[model_cpu()]);
	unlock_local(cpu_slab[model_cpu()], 0);
}

static void put_cpu_partial(void) { touch_cpu_slab(); }

static void __slab_free(void)
{
	if (model_may("slab: the object's slab was full", 0)) {
		put_cpu_partial();
		model_may_end();
	} else if (model_may("slab: the object's slab changes its list", 0)) {
		unsigned long flags = lock_irqsave(list_lock);

		unlock_irqrestore(list_lock, flags);
		model_may_end();
	}
}

static inline void slab_free(const void *object)
{
	if (model_last_here(object)) {
		touch_cpu_slab();
	} else if (model_may("slab: the object lies in the slab of this CPU", 0)) {
		touch_cpu_slab();
		model_may_end();
	} else {
		__slab_free();
	}
}
#else
static inline void slab_free(const void *object) { }
#endif

void kfree(const void *object)
{
	if ((unsigned long)object <= 16)
		return;
	if (model_size(object) > LARGEST) {
		struct page *page = model_alloc_pages(order_of(model_size(object)));

		__free_pages(page, order_of(model_size(object)));
	} else {
		slab_free(object);
	}
	model_free(object);
}

void kmem_cache_free(void *s, void *object)
{
	slab_free(object);
	model_free(object);
}

void kfree_sensitive(const void *object) { kfree(object); }
size_t ksize(const void *object) { return model_size(object); }

/* per-CPU memory: a mutex for callers that may sleep, then a spinlock */

void *pcpu_alloc_noprof(size_t size, size_t align, bool reserved, gfp_t flags)
{
	bool atomic = (flags & gfp_kernel()) != gfp_kernel();
	unsigned long irqs;

	if (model_fail("percpu"))
		return NULL;
	if (!atomic)
		mutex_lock(pcpu_alloc_mutex);
	irqs = lock_irqsave(pcpu_lock);
	unlock_irqrestore(pcpu_lock, irqs);
	if (!atomic)
		mutex_unlock(pcpu_alloc_mutex);
	return model_alloc_percpu(size);
}

void free_percpu(void *address)
{
	unsigned long irqs;

	if (!address)
		return;
	irqs = lock_irqsave(pcpu_lock);
	unlock_irqrestore(pcpu_lock, irqs);
	model_free_percpu(address);
}
