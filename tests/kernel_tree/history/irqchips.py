# SPDX-License-Identifier: GPL-2.0-or-later
"""Bugs in interrupt controllers: irqchip, gpio, pinctrl and PCI host drivers.

Callbacks of an ``irq_chip`` run with the raw lock of the descriptor held and interrupts
off, chained handlers run in the hard interrupt.
"""

from __future__ import annotations

from .edits import Edit, after, before, every, sleeping_lock, swap, within
from .model import Bug

SAVE = ("spin_lock_irqsave",)
PLAIN = ("spin_lock",)


def _lock(
    name: str,
    file: str,
    lock: str,
    function: str,
    entries: tuple[str, ...],
    callee: tuple[str, ...] = SAVE,
    also: dict[str, Edit] | None = None,
    company: tuple[str, ...] = (),
    config: str = "defconfig",
    why: str = "spinlock_t in an irq_chip callback, which runs under a raw lock",
) -> Bug:
    return Bug(
        name=name,
        file=file,
        edit=sleeping_lock(lock),
        also=also or {},
        company=company,
        config=config,
        function=(function,),
        callee=callee,
        entries=entries,
        rt_only=True,
        why=why,
    )


IRQCHIP, GPIO, PINCTRL = "drivers/irqchip/", "drivers/gpio/", "drivers/pinctrl/"
PCI = "drivers/pci/controller/"

BUGS = [
    _lock(
        "irqsteer-lock",
        IRQCHIP + "irq-imx-irqsteer.c",
        "lock",
        "imx_irqsteer_irq_unmask",
        ("imx_irqsteer_irq_unmask",),
    ),
    _lock(
        "rzg2l-irqc-lock",
        IRQCHIP + "irq-renesas-rzg2l.c",
        "lock",
        "rzg2l_tint_set_edge",
        ("rzg2l_irqc_set_type",),
        PLAIN,
    ),
    _lock(
        "pdc-lock",
        IRQCHIP + "qcom-pdc.c",
        "pdc_lock",
        "pdc_enable_intr",
        ("qcom_pdc_gic_enable", "qcom_pdc_gic_disable"),
    ),
    _lock(
        "sei-mask-lock",
        IRQCHIP + "irq-mvebu-sei.c",
        "mask_lock",
        "mvebu_sei_mask_irq",
        ("mvebu_sei_mask_irq",),
    ),
    _lock(
        "mpm-lock",
        IRQCHIP + "irq-qcom-mpm.c",
        "lock",
        "qcom_mpm_enable_irq",
        ("qcom_mpm_mask", "qcom_mpm_unmask"),
    ),
    _lock(
        "exti-lock",
        IRQCHIP + "irq-stm32mp-exti.c",
        "rlock",
        "stm32mp_exti_mask",
        ("stm32mp_exti_mask",),
        PLAIN,
    ),
    _lock(
        "intmux-lock",
        IRQCHIP + "irq-imx-intmux.c",
        "lock",
        "imx_intmux_irq_mask",
        ("imx_intmux_irq_mask",),
    ),
    _lock(
        "sysirq-lock",
        IRQCHIP + "irq-mtk-sysirq.c",
        "lock",
        "mtk_sysirq_set_type",
        ("mtk_sysirq_set_type",),
    ),
    _lock(
        "gic-configure-lock",
        IRQCHIP + "irq-gic-common.c",
        "irq_controller_lock",
        "gic_configure_irq",
        ("gic_set_type",),
        company=(IRQCHIP + "irq-gic-v3.c", IRQCHIP + "irq-gic.c"),
        why="spinlock_t in a helper that irq_set_type callbacks of other files call",
    ),
    _lock(
        "ls-extirq-lock",
        IRQCHIP + "irq-ls-extirq.c",
        "lock",
        "ls_extirq_intpcr_rmw",
        ("ls_extirq_set_type",),
        PLAIN,
    ),
    _lock(
        "gpcv2-lock",
        IRQCHIP + "irq-imx-gpcv2.c",
        "rlock",
        "imx_gpcv2_irq_unmask",
        ("imx_gpcv2_irq_unmask",),
        PLAIN,
    ),
    _lock(
        "mst-lock",
        IRQCHIP + "irq-mst-intc.c",
        "lock",
        "mst_set_irq",
        ("mst_intc_mask_irq", "mst_intc_eoi_irq"),
    ),
    _lock(
        "bcm7038-handler-lock",
        IRQCHIP + "irq-bcm7038-l1.c",
        "lock",
        "bcm7038_l1_irq_handle",
        ("bcm7038_l1_irq_handle",),
        why="spinlock_t in a chained handler, which is a hard interrupt on PREEMPT_RT too",
    ),
    Bug(
        name="its-vlpi-map-gfp",
        file=IRQCHIP + "irq-gic-v3-its.c",
        edit=within("its_vlpi_map", swap("GFP_ATOMIC", "GFP_KERNEL")),
        function=("its_vlpi_map",),
        callee=("kcalloc",),
        entries=("its_irq_set_vcpu_affinity",),
        rt_only=False,
        why="blocking allocation in irq_set_vcpu_affinity",
    ),
    Bug(
        name="its-vpe-table-gfp",
        file=IRQCHIP + "irq-gic-v3-its.c",
        edit=within(
            "allocate_vpe_l1_table",
            swap("sizeof(cpumask_t), GFP_ATOMIC", "sizeof(cpumask_t), GFP_KERNEL"),
        ),
        company=(IRQCHIP + "irq-gic-v3.c",),
        function=("allocate_vpe_l1_table",),
        callee=("kzalloc",),
        entries=("gic_starting_cpu",),
        rt_only=False,
        why="blocking allocation on the way of a STARTING callback of another file",
    ),
    Bug(
        name="its-node-list-lock",
        file=IRQCHIP + "irq-gic-v3-its.c",
        edit=sleeping_lock("its_lock"),
        company=(IRQCHIP + "irq-gic-v3.c",),
        function=("its_cpu_init_collections",),
        callee=PLAIN,
        entries=("gic_starting_cpu",),
        rt_only=True,
        why="spinlock_t on the way of a STARTING callback of another file",
    ),
    Bug(
        name="its-suspend-lock",
        file=IRQCHIP + "irq-gic-v3-its.c",
        edit=sleeping_lock("its_lock"),
        function=("its_save_disable",),
        callee=PLAIN,
        entries=("its_save_disable",),
        rt_only=True,
        why="spinlock_t in a syscore suspend callback",
    ),
    _lock(
        "tegra-gpio-lock",
        GPIO + "gpio-tegra.c",
        "lvl_lock",
        "tegra_gpio_irq_set_type",
        ("tegra_gpio_irq_set_type",),
        why="spinlock_t out of an array, in irq_set_type",
    ),
    Bug(
        name="rtd-gpio-guard",
        file=GPIO + "gpio-rtd.c",
        edit=sleeping_lock("lock"),
        function=("rtd_gpio_enable_irq",),
        callee=("guard(spinlock_irqsave)", "spin_lock_irqsave"),
        entries=("rtd_gpio_enable_irq",),
        rt_only=True,
        why="guard(spinlock_irqsave) in irq_enable",
    ),
    _lock(
        "mpc8xxx-gpio-lock",
        GPIO + "gpio-mpc8xxx.c",
        "lock",
        "mpc8xxx_irq_unmask",
        ("mpc8xxx_irq_unmask",),
    ),
    _lock(
        "rockchip-gpio-demux",
        GPIO + "gpio-rockchip.c",
        "slock",
        "rockchip_irq_demux",
        ("rockchip_irq_demux",),
        also={
            PINCTRL + "pinctrl-rockchip.h": sleeping_lock("slock"),
            PINCTRL + "pinctrl-rockchip.c": sleeping_lock("slock"),
        },
        why="spinlock_t in a chained handler; the lock's type is in a header",
    ),
    _lock(
        "pl061-lock", GPIO + "gpio-pl061.c", "lock", "pl061_irq_mask", ("pl061_irq_mask",), PLAIN
    ),
    _lock(
        "altera-gpio-lock",
        GPIO + "gpio-altera.c",
        "gpio_lock",
        "altera_gpio_irq_mask",
        ("altera_gpio_irq_mask",),
    ),
    Bug(
        name="pl061-conditional-mutex",
        file=GPIO + "gpio-pl061.c",
        edit=every(
            before("static void pl061_irq_unmask(", "static DEFINE_MUTEX(pl061_table_lock);\n\n"),
            within(
                "pl061_irq_unmask",
                after(
                    "gpiochip_enable_irq(gc, d->hwirq);\n",
                    "\n\tif (mask & 0xf0)\n\t\tmutex_lock(&pl061_table_lock);\n",
                ),
                after(
                    "raw_spin_unlock(&pl061->lock);",
                    "\n\tif (mask & 0xf0)\n\t\tmutex_unlock(&pl061_table_lock);",
                ),
            ),
        ),
        function=("pl061_irq_unmask",),
        callee=("mutex_lock",),
        entries=("pl061_irq_unmask",),
        rt_only=False,
        why="mutex taken under a condition in irq_unmask",
    ),
    _lock(
        "owl-pinctrl-lock",
        PINCTRL + "actions/pinctrl-owl.c",
        "lock",
        "owl_gpio_irq_mask",
        ("owl_gpio_irq_mask",),
    ),
    _lock(
        "msm-pinctrl-lock",
        PINCTRL + "qcom/pinctrl-msm.c",
        "lock",
        "msm_gpio_irq_mask",
        ("msm_gpio_irq_mask", "msm_gpio_irq_disable"),
    ),
    _lock(
        "bcm2835-pinctrl-lock",
        PINCTRL + "bcm/pinctrl-bcm2835.c",
        "irq_lock",
        "bcm2835_gpio_irq_unmask",
        ("bcm2835_gpio_irq_unmask",),
    ),
    _lock(
        "pinctrl-single-lock",
        PINCTRL + "pinctrl-single.c",
        "lock",
        "pcs_irq_set",
        ("pcs_irq_mask", "pcs_irq_unmask"),
        PLAIN,
        why="spinlock_t two calls below irq_mask, in a function that is also a wake-up helper",
    ),
    Bug(
        name="exynos-mask-clock",
        file=PINCTRL + "samsung/pinctrl-exynos.c",
        edit=within("exynos_irq_mask", swap("clk_enable(", "clk_prepare_enable(")),
        function=("exynos_irq_mask",),
        callee=("clk_prepare_enable", "clk_prepare"),
        entries=("exynos_irq_mask",),
        rt_only=False,
        why="clock prepared in irq_mask",
    ),
    Bug(
        name="exynos-demux-clock",
        file=PINCTRL + "samsung/pinctrl-exynos.c",
        edit=within("exynos_irq_demux_eint16_31", swap("clk_enable(", "clk_prepare_enable(")),
        function=("exynos_irq_demux_eint16_31",),
        callee=("clk_prepare_enable", "clk_prepare"),
        entries=("exynos_irq_demux_eint16_31",),
        rt_only=False,
        why="clock prepared in a chained handler",
    ),
    Bug(
        name="armada-37xx-regmap",
        file=PINCTRL + "mvebu/pinctrl-armada-37xx.c",
        edit=swap("\t.use_raw_spinlock = true,\n", ""),
        function=("armada_37xx_irq_set_type", "armada_37xx_irq_startup"),
        callee=("regmap_read", "regmap_update_bits"),
        entries=("armada_37xx_irq_set_type", "armada_37xx_irq_startup"),
        rt_only=True,
        why="regmap with a spinlock_t used in irq_set_type",
    ),
    Bug(
        name="irqsteer-runtime-pm",
        file=IRQCHIP + "irq-imx-irqsteer.c",
        edit=every(
            within(
                "imx_irqsteer_irq_mask",
                swap(
                    "\traw_spin_lock_irqsave(",
                    "\tpm_runtime_get_sync(data->dev);\n\traw_spin_lock_irqsave(",
                ),
                swap(
                    "raw_spin_unlock_irqrestore(&data->lock, flags);",
                    "raw_spin_unlock_irqrestore(&data->lock, flags);\n"
                    "\tpm_runtime_put_autosuspend(data->dev);",
                ),
            ),
        ),
        function=("imx_irqsteer_irq_mask",),
        callee=("pm_runtime_get_sync",),
        entries=("imx_irqsteer_irq_mask",),
        rt_only=False,
        why="runtime resume in irq_mask, of a device that is not irq-safe",
    ),
    Bug(
        name="mu-msi-copy-under-lock",
        file=IRQCHIP + "irq-imx-mu-msi.c",
        edit=within(
            "imx_mu_msi_domain_irq_alloc",
            swap(
                "\tif (pos < IMX_MU_CHANS)\n",
                "\tkfree(kmemdup(args, sizeof(msi_alloc_info_t), GFP_KERNEL));\n"
                "\tif (pos < IMX_MU_CHANS)\n",
            ),
        ),
        function=("imx_mu_msi_domain_irq_alloc",),
        callee=("kmemdup",),
        entries=("imx_mu_msi_domain_irq_alloc",),
        rt_only=False,
        why="blocking allocation moved under a raw lock, in a callback that may sleep itself",
    ),
    Bug(
        name="pci-tegra-scoped-guard",
        file=PCI + "pci-tegra.c",
        edit=sleeping_lock("mask_lock"),
        function=("tegra_msi_irq_mask",),
        callee=("scoped_guard(spinlock_irqsave)", "spin_lock_irqsave"),
        entries=("tegra_msi_irq_mask", "tegra_msi_top_irq_mask"),
        rt_only=True,
        why="scoped_guard(spinlock_irqsave) in irq_mask of an MSI parent",
    ),
    _lock(
        "mtk-gen3-lock",
        PCI + "pcie-mediatek-gen3.c",
        "irq_lock",
        "mtk_intx_mask",
        ("mtk_intx_mask",),
    ),
    _lock(
        "aardvark-msi-lock",
        PCI + "pci-aardvark.c",
        "msi_irq_lock",
        "advk_msi_irq_mask",
        ("advk_msi_irq_mask", "advk_msi_top_irq_mask"),
    ),
    _lock(
        "mobiveil-lock",
        PCI + "mobiveil/pcie-mobiveil-host.c",
        "intx_mask_lock",
        "mobiveil_mask_intx_irq",
        ("mobiveil_mask_intx_irq",),
        also={PCI + "mobiveil/pcie-mobiveil.h": sleeping_lock("intx_mask_lock")},
        why="spinlock_t in irq_mask; the lock's type is in a header",
    ),
    _lock(
        "pci-config-lock",
        "drivers/pci/access.c",
        "pci_lock",
        "pci_bus_write_config_dword",
        ("pci_irq_mask_msi", "pci_msi_mask_irq", "pci_irq_mask_msix"),
        company=("drivers/pci/msi/msi.c", "drivers/pci/msi/irqdomain.c"),
        why="spinlock_t in functions made by macros, three files below irq_mask",
    ),
]
