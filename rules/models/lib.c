// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Strings, blocks of memory, bitmaps. Facts from lib/string.c, lib/find_bit.c,
 * lib/bitmap.c, lib/hweight.c.
 */

void *memcpy(void *to, const void *from, size_t size) { model_copy(to, from, size); return to; }
void *memmove(void *to, const void *from, size_t size) { model_copy(to, from, size); return to; }
void *memset(void *to, int byte, size_t size) { model_fill(to, byte, size); return to; }
void *__memcpy(void *to, const void *from, size_t size) { model_copy(to, from, size); return to; }
void *__memset(void *to, int byte, size_t size) { model_fill(to, byte, size); return to; }
void *__builtin_memcpy(void *to, const void *from, size_t size) { model_copy(to, from, size); return to; }
void *__builtin_memmove(void *to, const void *from, size_t size) { model_copy(to, from, size); return to; }
void *__builtin_memset(void *to, int byte, size_t size) { model_fill(to, byte, size); return to; }

int memcmp(const void *a, const void *b, size_t size)
{
	const u8 *x = a, *y = b;

	for (size_t i = 0; i < size; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

size_t strlen(const char *s)
{
	size_t length = 0;

	while (s[length])
		length++;
	return length;
}

size_t strnlen(const char *s, size_t most)
{
	size_t length = 0;

	while (length < most && s[length])
		length++;
	return length;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b ? 0 : *a < *b ? -1 : 1;
}

int strncmp(const char *a, const char *b, size_t most)
{
	while (most && *a && *a == *b) {
		a++;
		b++;
		most--;
	}
	return !most || *a == *b ? 0 : *a < *b ? -1 : 1;
}

char *strcpy(char *to, const char *from)
{
	model_copy(to, from, strlen(from) + 1);
	return to;
}

ssize_t sized_strscpy(char *to, const char *from, size_t size)
{
	size_t length = strnlen(from, size);

	if (!size)
		return -7;
	if (length == size) {
		model_copy(to, from, size - 1);
		to[size - 1] = 0;
		return -7;
	}
	model_copy(to, from, length + 1);
	return (ssize_t)length;
}

char *strchr(const char *s, int c)
{
	while (*s && *s != (char)c)
		s++;
	return *s == (char)c ? (char *)s : NULL;
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	for (;; s++) {
		if (*s == (char)c)
			last = s;
		if (!*s)
			return (char *)last;
	}
}

char *strstr(const char *s, const char *part)
{
	size_t length = strlen(part);

	for (; *s; s++)
		if (!strncmp(s, part, length))
			return (char *)s;
	return length ? NULL : (char *)s;
}

/* options */

int kstrtobool(const char *s, bool *res)
{
	if (!s)
		return -22;
	switch (s[0]) {
	case 'y': case 'Y': case 't': case 'T': case '1':
		*res = true;
		return 0;
	case 'n': case 'N': case 'f': case 'F': case '0':
		*res = false;
		return 0;
	case 'o': case 'O':
		if (s[1] != 'n' && s[1] != 'N' && s[1] != 'f' && s[1] != 'F')
			return -22;
		*res = s[1] == 'n' || s[1] == 'N';
		return 0;
	}
	return -22;
}

/* One of the words between commas. */
bool parse_option_str(const char *str, const char *option)
{
	size_t length = strlen(option);

	while (*str) {
		if (!strncmp(str, option, length) && (!str[length] || str[length] == ','))
			return true;
		while (*str && *str != ',')
			str++;
		if (*str)
			str++;
	}
	return false;
}

/* numbers: the lowest that is free, under a raw lock; the bits of one page are enough */

struct ida;

static struct {
	const struct ida *ida;
	unsigned long *bits;
} idas[64];

static inline unsigned long *bits_of(const struct ida *ida)
{
	int at = 0;

	while (at < 63 && idas[at].ida && idas[at].ida != ida)
		at++;
	if (!idas[at].ida) {
		idas[at].ida = ida;
		idas[at].bits = model_alloc(4096);
	}
	return idas[at].bits;
}

int ida_alloc_range(struct ida *ida, unsigned int min, unsigned int max, gfp_t flags)
{
	unsigned long *bits = bits_of(ida);
	unsigned long end = max < 32767 ? max + 1ul : 32768, number;

	might_alloc(flags);
	if (model_fail("ida"))
		return -12;
	number = model_find_bit(bits, end, min, 0);
	if (number == end)
		return -28;
	bits[number / 64] |= 1ul << number % 64;
	return (int)number;
}

void ida_free(struct ida *ida, unsigned int id)
{
	bits_of(ida)[id / 64] &= ~(1ul << id % 64);
}

/* bits */

unsigned long _find_next_bit(const unsigned long *bits, unsigned long end, unsigned long start) { return model_find_bit(bits, end, start, 1); }
unsigned long _find_first_bit(const unsigned long *bits, unsigned long end) { return model_find_bit(bits, end, 0, 1); }
unsigned long _find_next_zero_bit(const unsigned long *bits, unsigned long end, unsigned long start) { return model_find_bit(bits, end, start, 0); }
unsigned long _find_first_zero_bit(const unsigned long *bits, unsigned long end) { return model_find_bit(bits, end, 0, 0); }

unsigned long _find_next_and_bit(const unsigned long *a, const unsigned long *b, unsigned long end, unsigned long start)
{
	while ((start = model_find_bit(a, end, start, 1)) < end) {
		if (b[start / 64] >> start % 64 & 1)
			return start;
		start++;
	}
	return end;
}

unsigned long _find_first_and_bit(const unsigned long *a, const unsigned long *b, unsigned long end) { return _find_next_and_bit(a, b, end, 0); }

unsigned long _find_next_andnot_bit(const unsigned long *a, const unsigned long *b, unsigned long end, unsigned long start)
{
	while ((start = model_find_bit(a, end, start, 1)) < end) {
		if (!(b[start / 64] >> start % 64 & 1))
			return start;
		start++;
	}
	return end;
}

static inline unsigned long last_mask(unsigned int bits) { return ~0ul >> (-bits & 63); }

bool __bitmap_and(unsigned long *dst, const unsigned long *a, const unsigned long *b, unsigned int bits)
{
	unsigned long any = 0;
	unsigned int word;

	for (word = 0; word < bits / 64; word++)
		any |= dst[word] = a[word] & b[word];
	if (bits % 64)
		any |= dst[word] = a[word] & b[word] & last_mask(bits);
	return any != 0;
}

bool __bitmap_andnot(unsigned long *dst, const unsigned long *a, const unsigned long *b, unsigned int bits)
{
	unsigned long any = 0;
	unsigned int word;

	for (word = 0; word < bits / 64; word++)
		any |= dst[word] = a[word] & ~b[word];
	if (bits % 64)
		any |= dst[word] = a[word] & ~b[word] & last_mask(bits);
	return any != 0;
}

void __bitmap_or(unsigned long *dst, const unsigned long *a, const unsigned long *b, unsigned int bits)
{
	for (unsigned int word = 0; word < (bits + 63) / 64; word++)
		dst[word] = a[word] | b[word];
}

bool __bitmap_equal(const unsigned long *a, const unsigned long *b, unsigned int bits)
{
	unsigned int word;

	for (word = 0; word < bits / 64; word++)
		if (a[word] != b[word])
			return false;
	return !(bits % 64) || !((a[word] ^ b[word]) & last_mask(bits));
}

bool __bitmap_subset(const unsigned long *a, const unsigned long *b, unsigned int bits)
{
	unsigned int word;

	for (word = 0; word < bits / 64; word++)
		if (a[word] & ~b[word])
			return false;
	return !(bits % 64) || !(a[word] & ~b[word] & last_mask(bits));
}

unsigned int __bitmap_weight(const unsigned long *a, unsigned int bits)
{
	unsigned int weight = 0;

	for (unsigned long at = 0; (at = model_find_bit(a, bits, at, 1)) < bits; at++)
		weight++;
	return weight;
}

void __bitmap_set(unsigned long *map, unsigned int start, int length)
{
	for (; length > 0; length--, start++)
		map[start / 64] |= 1ul << start % 64;
}

void __bitmap_clear(unsigned long *map, unsigned int start, int length)
{
	for (; length > 0; length--, start++)
		map[start / 64] &= ~(1ul << start % 64);
}

unsigned long *bitmap_zalloc(unsigned int bits, gfp_t flags) { return __kmalloc_noprof((bits + 63) / 64 * 8, flags | gfp_zero()); }
unsigned long *bitmap_alloc(unsigned int bits, gfp_t flags) { return __kmalloc_noprof((bits + 63) / 64 * 8, flags); }
void bitmap_free(const unsigned long *bitmap) { kfree(bitmap); }

int __builtin_popcount(unsigned int value);
int __builtin_popcountl(unsigned long value);
unsigned int __sw_hweight32(unsigned int w) { return (unsigned int)__builtin_popcount(w); }
unsigned long __sw_hweight64(u64 w) { return (unsigned long)__builtin_popcountl(w); }

/* set_bit() and its like are one step each */

inline void arch_set_bit(unsigned int nr, unsigned long *p) { model_point("atomic", p); p[nr / 64] |= 1ul << nr % 64; }
inline void arch_clear_bit(unsigned int nr, unsigned long *p) { model_point("atomic", p); p[nr / 64] &= ~(1ul << nr % 64); }
inline void arch_change_bit(unsigned int nr, unsigned long *p) { model_point("atomic", p); p[nr / 64] ^= 1ul << nr % 64; }

static inline int bit_of(unsigned int nr, const unsigned long *p) { return (int)(p[nr / 64] >> nr % 64 & 1); }

inline int arch_test_and_set_bit(unsigned int nr, unsigned long *p)
{
	int old;

	model_point("atomic", p);
	old = bit_of(nr, p);
	p[nr / 64] |= 1ul << nr % 64;
	return old;
}

inline int arch_test_and_clear_bit(unsigned int nr, unsigned long *p)
{
	int old;

	model_point("atomic", p);
	old = bit_of(nr, p);
	p[nr / 64] &= ~(1ul << nr % 64);
	return old;
}

inline int arch_test_and_change_bit(unsigned int nr, unsigned long *p)
{
	int old;

	model_point("atomic", p);
	old = bit_of(nr, p);
	p[nr / 64] ^= 1ul << nr % 64;
	return old;
}

/* static branches and what the processor can: decided by what the key or bit says now */

inline bool arch_static_branch(const int *key, bool branch) { return (*key > 0) ^ branch; }
inline bool arch_static_branch_jump(const int *key, bool branch) { return (*key > 0) ^ branch; }
extern unsigned long system_cpucaps[2];
inline bool alternative_has_cap_likely(unsigned long cap) { return bit_of((unsigned int)cap, system_cpucaps); }
inline bool alternative_has_cap_unlikely(unsigned long cap) { return bit_of((unsigned int)cap, system_cpucaps); }
void static_key_enable(int *key) { *key = 1; }
void static_key_disable(int *key) { *key = 0; }
void static_key_enable_cpuslocked(int *key) { *key = 1; }
void static_key_disable_cpuslocked(int *key) { *key = 0; }
void static_key_slow_inc(int *key) { *key = *key + 1; }
void static_key_slow_dec(int *key) { *key = *key - 1; }

/* random numbers: a local lock of the CPU; the same numbers in every run */

static unsigned long batch_lock[512][8];
static u64 last_random = 88172645463325252ull;

static inline u64 next_random(void)
{
	unsigned long flags = lock_local(batch_lock[model_cpu()]);

	last_random ^= last_random << 13;
	last_random ^= last_random >> 7;
	last_random ^= last_random << 17;
	unlock_local(batch_lock[model_cpu()], flags);
	return last_random;
}

u8 get_random_u8(void) { return (u8)next_random(); }
u16 get_random_u16(void) { return (u16)next_random(); }
u32 get_random_u32(void) { return (u32)next_random(); }
u64 get_random_u64(void) { return next_random(); }

void add_bootloader_randomness(const void *buf, size_t len) { }

void get_random_bytes(void *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((u8 *)buf)[i] = (u8)next_random();
}

/* include/linux/overflow.h: sizes that do not fit are the largest there is */
inline size_t size_mul(size_t a, size_t b) { return a && b > ~0ul / a ? ~0ul : a * b; }
inline size_t size_add(size_t a, size_t b) { return a + b < a ? ~0ul : a + b; }
inline size_t size_sub(size_t a, size_t b) { return a == ~0ul || b == ~0ul || b > a ? ~0ul : a - b; }
