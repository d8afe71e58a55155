/* SPDX-License-Identifier: GPL-2.0-or-later */
typedef struct lock { int held; } *guard_t;
extern struct lock *take(struct lock *);
extern int call(int);
extern void *get(int);
extern void put(void *);
static inline void drop(guard_t *g) { if (*g) (*g)->held = 0; }
static inline void release(void *p) { void *q = *(void **)p; if (q) put(q); }
#define guard(l) guard_t g __attribute__((cleanup(drop))) = take(l)
#define scoped(l) for (guard_t s __attribute__((cleanup(drop))) = take(l), *done = (void *)0; \
	!done; done = (void *)1)
#define auto_put __attribute__((__cleanup__(release)))

int falls(struct lock *l)
{
	{
		guard(l);
		call(1);
	}
	return call(2);
}

int returns(struct lock *l, struct lock *m)
{
	guard(l);
	void *p auto_put = get(1);

	if (!p)
		return -1;
	if (call(3)) {
		guard_t __attribute__((cleanup(drop))) h = take(m);

		return call(m->held);
	}
	return m->held;
}

int leaves(struct lock *l)
{
	int i;

	for (i = 0; i < 9; i++) {
		guard(l);
		if (call(i))
			break;
		if (call(-i))
			continue;
		if (call(0))
			goto out;
		call(4);
	}
	scoped(l) {
		if (call(5))
			break;
		call(6);
	}
out:
	return i;
}

int in_expression(struct lock *l)
{
	int v = ({ guard(l); l->held; });

	return v;
}
