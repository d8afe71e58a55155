// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupt domains, as far as the drivers of controllers make them at boot, and what else
 * they tell the core. Facts from kernel/irq/irqdomain.c, kernel/irq/handle.c,
 * arch/arm64/kernel/smp.c and setup.c.
 */

extern u64 __cpu_logical_map[512];
void mutex_lock(void *lock);
void mutex_unlock(void *lock);

static unsigned long irq_domain_mutex[16];
static unsigned int next_irq = 1;

static void *irq_domain_create(void)
{
	void *domain = __kmalloc_noprof(model_record_size("struct irq_domain"), gfp_kernel() | gfp_zero());

	if (!domain)
		return NULL;
	mutex_lock(irq_domain_mutex);
	mutex_unlock(irq_domain_mutex);
	return domain;
}

void *irq_domain_instantiate(const void *info)
{
	void *domain = irq_domain_create();

	return domain ? domain : (void *)-12l;
}

void *irq_domain_create_hierarchy(void *parent, unsigned int flags, unsigned int size, void *fwnode, const void *ops, void *host_data)
{
	void *domain = irq_domain_create();

	if (domain)
		*(void **)model_member_at(domain, "struct irq_domain", "host_data") = host_data;
	return domain;
}

void irq_domain_update_bus_token(void *domain, int bus_token)
{
	mutex_lock(irq_domain_mutex);
	mutex_unlock(irq_domain_mutex);
}

void irq_domain_remove(void *domain) { kfree(domain); }

int __irq_domain_alloc_irqs(void *domain, int irq_base, unsigned int nr_irqs, int node, void *arg, bool realloc, const void *affinity)
{
	int first = (int)next_irq;

	next_irq += nr_irqs;
	return first;
}

int set_handle_irq(void (*handle_irq)(void *regs)) { return 0; }
void set_smp_ipi_range(int ipi_base, int n) { }
void vgic_set_kvm_info(const void *info) { }
void *__irq_domain_alloc_fwnode(unsigned int type, int id, const char *name, phys_addr_t *pa)
{
	return __kmalloc_noprof(model_record_size("struct fwnode_handle"), gfp_kernel() | gfp_zero());
}
void irq_domain_free_fwnode(void *fwnode) { kfree(fwnode); }

/* only their address is taken */
unsigned long gic_v3_its_msi_parent_ops[8];

