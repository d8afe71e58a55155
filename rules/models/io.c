// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Access to registers of devices: loads and stores where others may run before. Facts
 * from arch/arm64/include/asm/io.h, arch/x86/include/asm/io.h, include/asm-generic/io.h.
 */

inline u8 __raw_readb(const volatile void *addr) { model_point("mmio", (void *)addr); return *(const volatile u8 *)addr; }
inline u16 __raw_readw(const volatile void *addr) { model_point("mmio", (void *)addr); return *(const volatile u16 *)addr; }
inline u32 __raw_readl(const volatile void *addr) { model_point("mmio", (void *)addr); return *(const volatile u32 *)addr; }
inline u64 __raw_readq(const volatile void *addr) { model_point("mmio", (void *)addr); return *(const volatile u64 *)addr; }
inline void __raw_writeb(u8 val, volatile void *addr) { model_point("mmio", (void *)addr); *(volatile u8 *)addr = val; }
inline void __raw_writew(u16 val, volatile void *addr) { model_point("mmio", (void *)addr); *(volatile u16 *)addr = val; }
inline void __raw_writel(u32 val, volatile void *addr) { model_point("mmio", (void *)addr); *(volatile u32 *)addr = val; }
inline void __raw_writeq(u64 val, volatile void *addr) { model_point("mmio", (void *)addr); *(volatile u64 *)addr = val; }

#ifdef MODEL_X86_64
inline u8 readb(const volatile void *addr) { return __raw_readb(addr); }
inline u16 readw(const volatile void *addr) { return __raw_readw(addr); }
inline u32 readl(const volatile void *addr) { return __raw_readl(addr); }
inline u64 readq(const volatile void *addr) { return __raw_readq(addr); }
inline void writeb(u8 val, volatile void *addr) { __raw_writeb(val, addr); }
inline void writew(u16 val, volatile void *addr) { __raw_writew(val, addr); }
inline void writel(u32 val, volatile void *addr) { __raw_writel(val, addr); }
inline void writeq(u64 val, volatile void *addr) { __raw_writeq(val, addr); }
#endif

void dcache_clean_inval_poc(unsigned long start, unsigned long end) { model_point("clean", (void *)start); }
void dcache_clean_poc(unsigned long start, unsigned long end) { model_point("clean", (void *)start); }
void dcache_inval_poc(unsigned long start, unsigned long end) { model_point("clean", (void *)start); }
void log_write_mmio(u64 val, u8 width, volatile void *addr, unsigned long caller, unsigned long caller0) { }
void log_post_write_mmio(u64 val, u8 width, volatile void *addr, unsigned long caller, unsigned long caller0) { }
void log_read_mmio(u8 width, const volatile void *addr, unsigned long caller, unsigned long caller0) { }
void log_post_read_mmio(u64 val, u8 width, const volatile void *addr, unsigned long caller, unsigned long caller0) { }
