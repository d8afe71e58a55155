// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory before there is a page allocator. Facts from mm/memblock.c.
 */

#define MODEL_PAGE 4096ul

inline void *memblock_alloc_try_nid(phys_addr_t size, phys_addr_t align, phys_addr_t min, phys_addr_t max, int nid)
{
	unsigned int order = 0;

	if (model_fail("memblock"))
		return NULL;
	while ((MODEL_PAGE << order) < size)
		order++;
	return model_page_address(model_alloc_pages(order));
}

inline void memblock_free(void *ptr, size_t size)
{
	unsigned int order = 0;

	while ((MODEL_PAGE << order) < size)
		order++;
	if (ptr)
		model_free_pages(model_virt_to_page(ptr), order);
}
