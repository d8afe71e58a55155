/* SPDX-License-Identifier: GPL-2.0-or-later */
extern int call(int);
extern int missing(int);
#define inner(x) call(x)
#define outer(x) inner((x) + 1)
#define both(x) do { \
	outer(x); \
	inner(x); \
} while (0)
static inline int leaf(int x) { return x; }
static inline int used(int x) { return outer(leaf(x)); }
static inline int unused(int x) { return missing(x); }
extern inline __attribute__((gnu_inline)) int gnu(int x) { return x; }
