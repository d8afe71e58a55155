// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Atomic operations: one step each, at the names that headers of all architectures
 * have (include/linux/atomic/atomic-arch-fallback.h, arch/arm64/include/asm/cmpxchg.h).
 * Others may run before the step; order of memory is that of the steps.
 */

static inline int word(int *v) { model_point("atomic", v); return *v; }
static inline s64 wide(s64 *v) { model_point("atomic", v); return *v; }

/* atomic_t */

inline void raw_atomic_add(int i, int *v) { *v = word(v) + i; }
inline void raw_atomic_sub(int i, int *v) { *v = word(v) - i; }
inline void raw_atomic_and(int i, int *v) { *v = word(v) & i; }
inline void raw_atomic_andnot(int i, int *v) { *v = word(v) & ~i; }
inline void raw_atomic_or(int i, int *v) { *v = word(v) | i; }
inline void raw_atomic_xor(int i, int *v) { *v = word(v) ^ i; }
inline void raw_atomic_inc(int *v) { *v = word(v) + 1; }
inline void raw_atomic_dec(int *v) { *v = word(v) - 1; }
inline int raw_atomic_add_return(int i, int *v) { return *v = word(v) + i; }
inline int raw_atomic_sub_return(int i, int *v) { return *v = word(v) - i; }
inline int raw_atomic_inc_return(int *v) { return *v = word(v) + 1; }
inline int raw_atomic_dec_return(int *v) { return *v = word(v) - 1; }
inline int raw_atomic_fetch_add(int i, int *v) { int old = word(v); *v = old + i; return old; }
inline int raw_atomic_fetch_sub(int i, int *v) { int old = word(v); *v = old - i; return old; }
inline int raw_atomic_fetch_and(int i, int *v) { int old = word(v); *v = old & i; return old; }
inline int raw_atomic_fetch_andnot(int i, int *v) { int old = word(v); *v = old & ~i; return old; }
inline int raw_atomic_fetch_or(int i, int *v) { int old = word(v); *v = old | i; return old; }
inline int raw_atomic_fetch_xor(int i, int *v) { int old = word(v); *v = old ^ i; return old; }
inline int raw_atomic_fetch_inc(int *v) { int old = word(v); *v = old + 1; return old; }
inline int raw_atomic_fetch_dec(int *v) { int old = word(v); *v = old - 1; return old; }
inline int raw_atomic_xchg(int *v, int new) { int old = word(v); *v = new; return old; }
inline int raw_atomic_cmpxchg(int *v, int old, int new) { int now = word(v); if (now == old) *v = new; return now; }
inline bool raw_atomic_try_cmpxchg(int *v, int *old, int new) { int now = word(v); if (now == *old) { *v = new; return true; } *old = now; return false; }
inline int raw_atomic_add_return_acquire(int i, int *v) { return *v = word(v) + i; }
inline int raw_atomic_sub_return_acquire(int i, int *v) { return *v = word(v) - i; }
inline int raw_atomic_inc_return_acquire(int *v) { return *v = word(v) + 1; }
inline int raw_atomic_dec_return_acquire(int *v) { return *v = word(v) - 1; }
inline int raw_atomic_fetch_add_acquire(int i, int *v) { int old = word(v); *v = old + i; return old; }
inline int raw_atomic_fetch_sub_acquire(int i, int *v) { int old = word(v); *v = old - i; return old; }
inline int raw_atomic_fetch_and_acquire(int i, int *v) { int old = word(v); *v = old & i; return old; }
inline int raw_atomic_fetch_andnot_acquire(int i, int *v) { int old = word(v); *v = old & ~i; return old; }
inline int raw_atomic_fetch_or_acquire(int i, int *v) { int old = word(v); *v = old | i; return old; }
inline int raw_atomic_fetch_xor_acquire(int i, int *v) { int old = word(v); *v = old ^ i; return old; }
inline int raw_atomic_fetch_inc_acquire(int *v) { int old = word(v); *v = old + 1; return old; }
inline int raw_atomic_fetch_dec_acquire(int *v) { int old = word(v); *v = old - 1; return old; }
inline int raw_atomic_xchg_acquire(int *v, int new) { int old = word(v); *v = new; return old; }
inline int raw_atomic_cmpxchg_acquire(int *v, int old, int new) { int now = word(v); if (now == old) *v = new; return now; }
inline bool raw_atomic_try_cmpxchg_acquire(int *v, int *old, int new) { int now = word(v); if (now == *old) { *v = new; return true; } *old = now; return false; }
inline int raw_atomic_add_return_release(int i, int *v) { return *v = word(v) + i; }
inline int raw_atomic_sub_return_release(int i, int *v) { return *v = word(v) - i; }
inline int raw_atomic_inc_return_release(int *v) { return *v = word(v) + 1; }
inline int raw_atomic_dec_return_release(int *v) { return *v = word(v) - 1; }
inline int raw_atomic_fetch_add_release(int i, int *v) { int old = word(v); *v = old + i; return old; }
inline int raw_atomic_fetch_sub_release(int i, int *v) { int old = word(v); *v = old - i; return old; }
inline int raw_atomic_fetch_and_release(int i, int *v) { int old = word(v); *v = old & i; return old; }
inline int raw_atomic_fetch_andnot_release(int i, int *v) { int old = word(v); *v = old & ~i; return old; }
inline int raw_atomic_fetch_or_release(int i, int *v) { int old = word(v); *v = old | i; return old; }
inline int raw_atomic_fetch_xor_release(int i, int *v) { int old = word(v); *v = old ^ i; return old; }
inline int raw_atomic_fetch_inc_release(int *v) { int old = word(v); *v = old + 1; return old; }
inline int raw_atomic_fetch_dec_release(int *v) { int old = word(v); *v = old - 1; return old; }
inline int raw_atomic_xchg_release(int *v, int new) { int old = word(v); *v = new; return old; }
inline int raw_atomic_cmpxchg_release(int *v, int old, int new) { int now = word(v); if (now == old) *v = new; return now; }
inline bool raw_atomic_try_cmpxchg_release(int *v, int *old, int new) { int now = word(v); if (now == *old) { *v = new; return true; } *old = now; return false; }
inline int raw_atomic_add_return_relaxed(int i, int *v) { return *v = word(v) + i; }
inline int raw_atomic_sub_return_relaxed(int i, int *v) { return *v = word(v) - i; }
inline int raw_atomic_inc_return_relaxed(int *v) { return *v = word(v) + 1; }
inline int raw_atomic_dec_return_relaxed(int *v) { return *v = word(v) - 1; }
inline int raw_atomic_fetch_add_relaxed(int i, int *v) { int old = word(v); *v = old + i; return old; }
inline int raw_atomic_fetch_sub_relaxed(int i, int *v) { int old = word(v); *v = old - i; return old; }
inline int raw_atomic_fetch_and_relaxed(int i, int *v) { int old = word(v); *v = old & i; return old; }
inline int raw_atomic_fetch_andnot_relaxed(int i, int *v) { int old = word(v); *v = old & ~i; return old; }
inline int raw_atomic_fetch_or_relaxed(int i, int *v) { int old = word(v); *v = old | i; return old; }
inline int raw_atomic_fetch_xor_relaxed(int i, int *v) { int old = word(v); *v = old ^ i; return old; }
inline int raw_atomic_fetch_inc_relaxed(int *v) { int old = word(v); *v = old + 1; return old; }
inline int raw_atomic_fetch_dec_relaxed(int *v) { int old = word(v); *v = old - 1; return old; }
inline int raw_atomic_xchg_relaxed(int *v, int new) { int old = word(v); *v = new; return old; }
inline int raw_atomic_cmpxchg_relaxed(int *v, int old, int new) { int now = word(v); if (now == old) *v = new; return now; }
inline bool raw_atomic_try_cmpxchg_relaxed(int *v, int *old, int new) { int now = word(v); if (now == *old) { *v = new; return true; } *old = now; return false; }
inline bool raw_atomic_sub_and_test(int i, int *v) { return !(*v = word(v) - i); }
inline bool raw_atomic_dec_and_test(int *v) { return !(*v = word(v) - 1); }
inline bool raw_atomic_inc_and_test(int *v) { return !(*v = word(v) + 1); }
inline bool raw_atomic_add_negative(int i, int *v) { return (*v = word(v) + i) < 0; }
inline int raw_atomic_fetch_add_unless(int *v, int a, int u) { int old = word(v); if (old != u) *v = old + a; return old; }
inline int raw_atomic_dec_if_positive(int *v) { int new = word(v) - 1; if (new >= 0) *v = new; return new; }

/* atomic64_t */

inline void raw_atomic64_add(s64 i, s64 *v) { *v = wide(v) + i; }
inline void raw_atomic64_sub(s64 i, s64 *v) { *v = wide(v) - i; }
inline void raw_atomic64_and(s64 i, s64 *v) { *v = wide(v) & i; }
inline void raw_atomic64_andnot(s64 i, s64 *v) { *v = wide(v) & ~i; }
inline void raw_atomic64_or(s64 i, s64 *v) { *v = wide(v) | i; }
inline void raw_atomic64_xor(s64 i, s64 *v) { *v = wide(v) ^ i; }
inline void raw_atomic64_inc(s64 *v) { *v = wide(v) + 1; }
inline void raw_atomic64_dec(s64 *v) { *v = wide(v) - 1; }
inline s64 raw_atomic64_add_return(s64 i, s64 *v) { return *v = wide(v) + i; }
inline s64 raw_atomic64_sub_return(s64 i, s64 *v) { return *v = wide(v) - i; }
inline s64 raw_atomic64_inc_return(s64 *v) { return *v = wide(v) + 1; }
inline s64 raw_atomic64_dec_return(s64 *v) { return *v = wide(v) - 1; }
inline s64 raw_atomic64_fetch_add(s64 i, s64 *v) { s64 old = wide(v); *v = old + i; return old; }
inline s64 raw_atomic64_fetch_sub(s64 i, s64 *v) { s64 old = wide(v); *v = old - i; return old; }
inline s64 raw_atomic64_fetch_and(s64 i, s64 *v) { s64 old = wide(v); *v = old & i; return old; }
inline s64 raw_atomic64_fetch_andnot(s64 i, s64 *v) { s64 old = wide(v); *v = old & ~i; return old; }
inline s64 raw_atomic64_fetch_or(s64 i, s64 *v) { s64 old = wide(v); *v = old | i; return old; }
inline s64 raw_atomic64_fetch_xor(s64 i, s64 *v) { s64 old = wide(v); *v = old ^ i; return old; }
inline s64 raw_atomic64_fetch_inc(s64 *v) { s64 old = wide(v); *v = old + 1; return old; }
inline s64 raw_atomic64_fetch_dec(s64 *v) { s64 old = wide(v); *v = old - 1; return old; }
inline s64 raw_atomic64_xchg(s64 *v, s64 new) { s64 old = wide(v); *v = new; return old; }
inline s64 raw_atomic64_cmpxchg(s64 *v, s64 old, s64 new) { s64 now = wide(v); if (now == old) *v = new; return now; }
inline bool raw_atomic64_try_cmpxchg(s64 *v, s64 *old, s64 new) { s64 now = wide(v); if (now == *old) { *v = new; return true; } *old = now; return false; }
inline s64 raw_atomic64_add_return_acquire(s64 i, s64 *v) { return *v = wide(v) + i; }
inline s64 raw_atomic64_sub_return_acquire(s64 i, s64 *v) { return *v = wide(v) - i; }
inline s64 raw_atomic64_inc_return_acquire(s64 *v) { return *v = wide(v) + 1; }
inline s64 raw_atomic64_dec_return_acquire(s64 *v) { return *v = wide(v) - 1; }
inline s64 raw_atomic64_fetch_add_acquire(s64 i, s64 *v) { s64 old = wide(v); *v = old + i; return old; }
inline s64 raw_atomic64_fetch_sub_acquire(s64 i, s64 *v) { s64 old = wide(v); *v = old - i; return old; }
inline s64 raw_atomic64_fetch_and_acquire(s64 i, s64 *v) { s64 old = wide(v); *v = old & i; return old; }
inline s64 raw_atomic64_fetch_andnot_acquire(s64 i, s64 *v) { s64 old = wide(v); *v = old & ~i; return old; }
inline s64 raw_atomic64_fetch_or_acquire(s64 i, s64 *v) { s64 old = wide(v); *v = old | i; return old; }
inline s64 raw_atomic64_fetch_xor_acquire(s64 i, s64 *v) { s64 old = wide(v); *v = old ^ i; return old; }
inline s64 raw_atomic64_fetch_inc_acquire(s64 *v) { s64 old = wide(v); *v = old + 1; return old; }
inline s64 raw_atomic64_fetch_dec_acquire(s64 *v) { s64 old = wide(v); *v = old - 1; return old; }
inline s64 raw_atomic64_xchg_acquire(s64 *v, s64 new) { s64 old = wide(v); *v = new; return old; }
inline s64 raw_atomic64_cmpxchg_acquire(s64 *v, s64 old, s64 new) { s64 now = wide(v); if (now == old) *v = new; return now; }
inline bool raw_atomic64_try_cmpxchg_acquire(s64 *v, s64 *old, s64 new) { s64 now = wide(v); if (now == *old) { *v = new; return true; } *old = now; return false; }
inline s64 raw_atomic64_add_return_release(s64 i, s64 *v) { return *v = wide(v) + i; }
inline s64 raw_atomic64_sub_return_release(s64 i, s64 *v) { return *v = wide(v) - i; }
inline s64 raw_atomic64_inc_return_release(s64 *v) { return *v = wide(v) + 1; }
inline s64 raw_atomic64_dec_return_release(s64 *v) { return *v = wide(v) - 1; }
inline s64 raw_atomic64_fetch_add_release(s64 i, s64 *v) { s64 old = wide(v); *v = old + i; return old; }
inline s64 raw_atomic64_fetch_sub_release(s64 i, s64 *v) { s64 old = wide(v); *v = old - i; return old; }
inline s64 raw_atomic64_fetch_and_release(s64 i, s64 *v) { s64 old = wide(v); *v = old & i; return old; }
inline s64 raw_atomic64_fetch_andnot_release(s64 i, s64 *v) { s64 old = wide(v); *v = old & ~i; return old; }
inline s64 raw_atomic64_fetch_or_release(s64 i, s64 *v) { s64 old = wide(v); *v = old | i; return old; }
inline s64 raw_atomic64_fetch_xor_release(s64 i, s64 *v) { s64 old = wide(v); *v = old ^ i; return old; }
inline s64 raw_atomic64_fetch_inc_release(s64 *v) { s64 old = wide(v); *v = old + 1; return old; }
inline s64 raw_atomic64_fetch_dec_release(s64 *v) { s64 old = wide(v); *v = old - 1; return old; }
inline s64 raw_atomic64_xchg_release(s64 *v, s64 new) { s64 old = wide(v); *v = new; return old; }
inline s64 raw_atomic64_cmpxchg_release(s64 *v, s64 old, s64 new) { s64 now = wide(v); if (now == old) *v = new; return now; }
inline bool raw_atomic64_try_cmpxchg_release(s64 *v, s64 *old, s64 new) { s64 now = wide(v); if (now == *old) { *v = new; return true; } *old = now; return false; }
inline s64 raw_atomic64_add_return_relaxed(s64 i, s64 *v) { return *v = wide(v) + i; }
inline s64 raw_atomic64_sub_return_relaxed(s64 i, s64 *v) { return *v = wide(v) - i; }
inline s64 raw_atomic64_inc_return_relaxed(s64 *v) { return *v = wide(v) + 1; }
inline s64 raw_atomic64_dec_return_relaxed(s64 *v) { return *v = wide(v) - 1; }
inline s64 raw_atomic64_fetch_add_relaxed(s64 i, s64 *v) { s64 old = wide(v); *v = old + i; return old; }
inline s64 raw_atomic64_fetch_sub_relaxed(s64 i, s64 *v) { s64 old = wide(v); *v = old - i; return old; }
inline s64 raw_atomic64_fetch_and_relaxed(s64 i, s64 *v) { s64 old = wide(v); *v = old & i; return old; }
inline s64 raw_atomic64_fetch_andnot_relaxed(s64 i, s64 *v) { s64 old = wide(v); *v = old & ~i; return old; }
inline s64 raw_atomic64_fetch_or_relaxed(s64 i, s64 *v) { s64 old = wide(v); *v = old | i; return old; }
inline s64 raw_atomic64_fetch_xor_relaxed(s64 i, s64 *v) { s64 old = wide(v); *v = old ^ i; return old; }
inline s64 raw_atomic64_fetch_inc_relaxed(s64 *v) { s64 old = wide(v); *v = old + 1; return old; }
inline s64 raw_atomic64_fetch_dec_relaxed(s64 *v) { s64 old = wide(v); *v = old - 1; return old; }
inline s64 raw_atomic64_xchg_relaxed(s64 *v, s64 new) { s64 old = wide(v); *v = new; return old; }
inline s64 raw_atomic64_cmpxchg_relaxed(s64 *v, s64 old, s64 new) { s64 now = wide(v); if (now == old) *v = new; return now; }
inline bool raw_atomic64_try_cmpxchg_relaxed(s64 *v, s64 *old, s64 new) { s64 now = wide(v); if (now == *old) { *v = new; return true; } *old = now; return false; }
inline bool raw_atomic64_sub_and_test(s64 i, s64 *v) { return !(*v = wide(v) - i); }
inline bool raw_atomic64_dec_and_test(s64 *v) { return !(*v = wide(v) - 1); }
inline bool raw_atomic64_inc_and_test(s64 *v) { return !(*v = wide(v) + 1); }
inline bool raw_atomic64_add_negative(s64 i, s64 *v) { return (*v = wide(v) + i) < 0; }
inline s64 raw_atomic64_fetch_add_unless(s64 *v, s64 a, s64 u) { s64 old = wide(v); if (old != u) *v = old + a; return old; }
inline s64 raw_atomic64_dec_if_positive(s64 *v) { s64 new = wide(v) - 1; if (new >= 0) *v = new; return new; }

/* cmpxchg() and xchg() of arm64: any size, the value as an unsigned long */

static inline unsigned long load(const volatile void *p, int size)
{
	model_point("atomic", (void *)p);
	switch (size) {
	case 1: return *(const u8 *)p;
	case 2: return *(const u16 *)p;
	case 4: return *(const u32 *)p;
	}
	return *(const u64 *)p;
}

static inline void store(volatile void *p, unsigned long value, int size)
{
	switch (size) {
	case 1: *(u8 *)p = (u8)value; break;
	case 2: *(u16 *)p = (u16)value; break;
	case 4: *(u32 *)p = (u32)value; break;
	default: *(u64 *)p = value;
	}
}

static inline unsigned long narrow(unsigned long value, int size)
{
	return size == 8 ? value : value & ((1ul << 8 * size) - 1);
}

static inline unsigned long exchange_if(volatile void *p, unsigned long old, unsigned long new, int size)
{
	unsigned long now = load(p, size);

	if (now == narrow(old, size))
		store(p, new, size);
	return now;
}

static inline unsigned long exchange(unsigned long x, volatile void *p, int size)
{
	unsigned long now = load(p, size);

	store(p, x, size);
	return now;
}

inline unsigned long __cmpxchg(volatile void *p, unsigned long old, unsigned long new, int size) { return exchange_if(p, old, new, size); }
inline unsigned long __arch_xchg(unsigned long x, volatile void *p, int size) { return exchange(x, p, size); }
inline unsigned long __xchg(unsigned long x, volatile void *p, int size) { return exchange(x, p, size); }
inline unsigned long __cmpxchg_acq(volatile void *p, unsigned long old, unsigned long new, int size) { return exchange_if(p, old, new, size); }
inline unsigned long __arch_xchg_acq(unsigned long x, volatile void *p, int size) { return exchange(x, p, size); }
inline unsigned long __xchg_acq(unsigned long x, volatile void *p, int size) { return exchange(x, p, size); }
inline unsigned long __cmpxchg_rel(volatile void *p, unsigned long old, unsigned long new, int size) { return exchange_if(p, old, new, size); }
inline unsigned long __arch_xchg_rel(unsigned long x, volatile void *p, int size) { return exchange(x, p, size); }
inline unsigned long __xchg_rel(unsigned long x, volatile void *p, int size) { return exchange(x, p, size); }
inline unsigned long __cmpxchg_mb(volatile void *p, unsigned long old, unsigned long new, int size) { return exchange_if(p, old, new, size); }
inline unsigned long __arch_xchg_mb(unsigned long x, volatile void *p, int size) { return exchange(x, p, size); }
inline unsigned long __xchg_mb(unsigned long x, volatile void *p, int size) { return exchange(x, p, size); }
