/* SPDX-License-Identifier: GPL-2.0-or-later */
extern void *alloc(unsigned long size, int flags);
#define hooked(call) ({ typeof(call) _res = call; _res; })
#define max(a, b) ({ __auto_type _a = (a); __auto_type _b = (b); _a > _b ? _a : _b; })
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
struct item { long size; struct item *next; };
#define container_of(ptr, type, member) ({ \
	void *_p = (void *)(ptr); \
	(type *)(_p - __builtin_offsetof(type, member)); })

void *once(int n) { return hooked(alloc(n, 1)); }

long sizes(struct item *i)
{
	char *array[sizeof(*alloc(1, 2)) + 3];

	return sizeof(alloc(3, 4)) + sizeof(array) + max(i->size, 4L) + _Alignof(typeof(alloc(5, 6)));
}

struct item *walk(struct item *i)
{
	while (READ_ONCE(i->next))
		i = i->next;
	return container_of(&i->next, struct item, next);
}

int nested(int n)
{
	return ({ int a = ({ n + 1; }); if (a) n = 2; a; }) + n;
}
