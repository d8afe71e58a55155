/* SPDX-License-Identifier: GPL-2.0-or-later */
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define same(a, b) __builtin_types_compatible_p(typeof(a), typeof(b))
#define pick(x) _Generic((x), int: on_int(x), long: on_long(x), default: 0ull)
extern int on_int(int);
extern long on_long(long);
extern void stop(void) __attribute__((noreturn));
extern void broken(void) __attribute__((error("never")));

int branches(int i)
{
	if (likely(i > 1))
		return 1;
	if (unlikely(!i) || unlikely(i & 2))
		stop();
	return 2;
}

int folded(int i, long l)
{
	int n = same(i, int) + 2 * same(l, i) + 4 * __builtin_constant_p(i);

	if (__builtin_constant_p(i))
		n = on_int(1);
	if (!same(i, l))
		n += __builtin_choose_expr(sizeof(l) == 8, i, on_long(l));
	if (l > 3)
		broken();
	return n;
}

long generic(int i, long l)
{
	return pick(i) + pick(l);
}

int assertions(int i)
{
	switch (i) {
	case 1:
		return 1;
	default:
		__builtin_unreachable();
	}
}

unsigned long bits(unsigned long x, void *p)
{
	__builtin_memset(p, 0, 8);
	return __builtin_ctzl(x) + __builtin_popcount(0xff) + __builtin_object_size(p, 0);
}

int variadic(int n, ...)
{
	__builtin_va_list ap;
	int sum;

	__builtin_va_start(ap, n);
	sum = __builtin_va_arg(ap, int);
	__builtin_va_end(ap);
	return sum;
}

int overflow(int a, int b)
{
	int c;

	if (__builtin_add_overflow(a, b, &c))
		return -1;
	return __atomic_load_n(&c, 0);
}
