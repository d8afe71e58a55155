// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a driver of firmware events needs: calls of firmware, the way into a handler and
 * out of it, and the platform device with its driver. Facts from arch/arm64/kernel/entry.S,
 * entry-common.c, smccc-call.S, hyp-stub.S, drivers/base/platform.c,
 * drivers/acpi/bus.c and include/uapi/linux/arm_sdei.h.
 */

#define COMPLETE 0xc4000025ul
#define COMPLETE_AND_RESUME 0xc4000026ul
#define EVENT_FAILED 1
#define NMI_AND_HARDIRQ 0x110000
#define BOOTED_AT_EL2 0xe12
#define AE_NOT_FOUND 5
#define SMC 0
#define HVC 1
#define EXIT_SMC 1

void *__kmalloc_noprof(size_t size, gfp_t flags);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t most);
int cpu_pm_enter(void);
int cpu_pm_exit(void);

extern unsigned int __boot_cpu_mode[2];

/* firmware and hypervisor */

void __arm_smccc_smc(unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
		     unsigned long a5, unsigned long a6, unsigned long a7, unsigned long *res, void *quirk)
{
	res[0] = model_smccc(SMC, a0, a1, a2, a3, a4, a5);
}

void __arm_smccc_hvc(unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
		     unsigned long a5, unsigned long a6, unsigned long a7, unsigned long *res, void *quirk)
{
	res[0] = model_smccc(HVC, a0, a1, a2, a3, a4, a5);
}

/* a handler: firmware enters here, with interrupts off, on top of whatever runs */

extern void *sdei_active_normal_event;
extern void *sdei_active_critical_event;
extern unsigned long *sdei_stack_normal_ptr;
extern unsigned long *sdei_stack_critical_ptr;
extern unsigned long sdei_exit_mode;

static inline void **here(void *variable) { return (void **)((char *)variable + model_percpu_offset(model_cpu())); }

static inline void **active_event(bool critical)
{
	return here(critical ? (void *)&sdei_active_critical_event : (void *)&sdei_active_normal_event);
}

/* Where the file of the architecture is left out: no way back but the plain one. */
unsigned long do_sdei_event(void *regs, void *arg)
{
	const char *record = "struct sdei_registered_event";
	int (*callback)(u32 event, void *regs, void *arg);
	u32 event = *(u32 *)model_member_at(arg, record, "event_num");

	callback = *(int (**)(u32, void *, void *))model_member_at(arg, record, "callback");
	return callback(event, regs, *(void **)model_member_at(arg, record, "callback_arg")) ? EVENT_FAILED : 0;
}

static unsigned long __sdei_handler(void *regs, void *arg)
{
	unsigned long ret;

	model_preempt_add(NMI_AND_HARDIRQ);
	ret = do_sdei_event(regs, arg);
	model_preempt_add(-NMI_AND_HARDIRQ);
	return ret;
}

static inline void handler_exit(unsigned long number, unsigned long arg)
{
	model_smccc(sdei_exit_mode == EXIT_SMC ? SMC : HVC, number, arg, 0, 0, 0, 0);
}

void __sdei_asm_handler(unsigned long event, void *arg, unsigned long pc, unsigned long pstate)
{
	const char *record = "struct sdei_registered_event";
	void *regs = model_member_at(arg, record, "interrupted_regs");
	bool critical = *(u8 *)model_member_at(arg, record, "priority");
	unsigned long ret;

	*(u64 *)model_member_at(regs, "struct pt_regs", "pc") = pc;
	*(u64 *)model_member_at(regs, "struct pt_regs", "pstate") = pstate;
	*active_event(critical) = arg;
	model_event_stack(*here(critical ? (void *)&sdei_stack_critical_ptr : (void *)&sdei_stack_normal_ptr));
	ret = __sdei_handler(regs, arg);
	*active_event(critical) = NULL;
	handler_exit(ret > EVENT_FAILED ? COMPLETE_AND_RESUME : COMPLETE, ret);
}

/* The kernel is not mapped where a program runs: the way in maps it, and goes on there. */
void __sdei_asm_entry_trampoline(unsigned long event, void *arg, unsigned long pc, unsigned long pstate)
{
	__sdei_asm_handler(event, arg, pc, pstate);
}

/* Firmware goes on behind the call, with the event over. */
void __sdei_handler_abort(void) { handler_exit(COMPLETE_AND_RESUME, 0); }

/* the device: a node of the device tree, or a table of ACPI */

static unsigned char sdei_node[4096];
static const char *sdei_method;
static bool sdei_table;
static bool psci_uses_hvc;
static void *platform_drivers[8];
static int number_of_drivers;

/* method: NULL for a node without that property; acpi: there is a table instead */
void model_sdei_machine(const char *method, bool acpi, bool hvc, unsigned int mode)
{
	sdei_method = method;
	sdei_table = acpi;
	psci_uses_hvc = hvc;
	__boot_cpu_mode[0] = mode ? mode : BOOTED_AT_EL2;
	__boot_cpu_mode[1] = mode ? mode : BOOTED_AT_EL2;
}

int of_property_read_string(const void *np, const char *name, const char **out)
{
	if (np != (const void *)sdei_node || strcmp(name, "method") || !sdei_method)
		return -EINVAL;
	*out = sdei_method;
	return 0;
}

bool acpi_psci_use_hvc(void) { return psci_uses_hvc; }

unsigned int acpi_get_table(char *signature, unsigned int instance, void **out)
{
	if (!sdei_table || strncmp(signature, "SDEI", 4))
		return AE_NOT_FOUND;
	*out = sdei_node;
	return 0;
}

void acpi_put_table(void *table) { }
const char *acpi_format_exception(unsigned int status) { return "AE_ERROR"; }

struct model_pm_device {
	void *ops;
	void *dev;
	void (*shutdown)(void *dev);
};

typedef int (*probe_fn)(void *pdev);

static int platform_probe(void *driver, void *node)
{
	void *pdev = __kmalloc_noprof(model_record_size("struct platform_device"), gfp_kernel() | gfp_zero());
	void *dev = model_member_at(pdev, "struct platform_device", "dev");
	struct model_pm_device *known = __kmalloc_noprof(sizeof(*known), gfp_kernel() | gfp_zero());
	void *inner = model_member_at(driver, "struct platform_driver", "driver");
	int ret;

	*(void **)model_member_at(dev, "struct device", "of_node") = node;
	ret = (*(probe_fn *)model_member_at(driver, "struct platform_driver", "probe"))(pdev);
	if (ret)
		return ret;
	known->ops = *(void **)model_member_at(inner, "struct device_driver", "pm");
	known->dev = dev;
	model_list_add("devices", known);
	return 0;
}

static int really_probe(void *driver, void *node) { return platform_probe(driver, node); }
static void driver_attach(void *driver, void *node) { really_probe(driver, node); }

int __platform_driver_register(void *driver, void *owner)
{
	platform_drivers[number_of_drivers++] = driver;
	if (!sdei_table)
		driver_attach(driver, sdei_node);
	return 0;
}

void platform_driver_unregister(void *driver) { number_of_drivers--; }

/* The name of the device is what it has in common with its driver. */
void *platform_device_register_full(const void *info)
{
	const char *name = *(const char **)model_member_at(info, "struct platform_device_info", "name");

	for (int i = 0; i < number_of_drivers; i++) {
		void *inner = model_member_at(platform_drivers[i], "struct platform_driver", "driver");

		if (!strcmp(*(const char **)model_member_at(inner, "struct device_driver", "name"), name))
			driver_attach(platform_drivers[i], NULL);
	}
	return sdei_node;
}

/* idle: what the processor does between the two is the platform's */
int model_entry_idle(void)
{
	int ret, were_off;

	model_preempt_add(1);
	were_off = model_set_irqs_off(1);
	ret = cpu_pm_enter();
	if (!ret) {
		model_boot_step("idle");
		cpu_pm_exit();
	}
	model_set_irqs_off(were_off);
	model_preempt_add(-1);
	return ret;
}
