/* SPDX-License-Identifier: GPL-2.0-or-later */
struct node {
	struct node *next;
	int value;
	union { int a; u8 b[4]; };
	struct { int x, y; } pos[2];
};
typedef int (*get_t)(int);
int call(int);
int print(const char *format, ...);
long first(struct node by_value);
struct node give(void);
extern int there, *pointed[];

int integers(u8 a, long b, unsigned int c)
{
	a += 3;
	a <<= 2;
	c -= a;
	b = a * c - b / 2;
	b ^= ~c;
	return a > c ? -a : b % 7;
}

u64 mixed(s8 a, u16 b, s32 c, u32 d, s64 e)
{
	return (a + b) + (c & d) + (e >> a) + (d << e) + (u8)c + (s16)d - (c < d) + !e;
}

bool truth(struct node *n, int i)
{
	bool yes = n;

	yes = i;
	yes = !i;
	yes += 2;
	yes++;
	return yes && (i & 4);
}

long steps(struct node *n, int *p, u8 by)
{
	int i = 0, j = i++;

	*p++ = ++i;
	n->value--;
	p += j;
	return p - &n->value + *(by + p) + by[p];
}

int members(struct node *n)
{
	struct node copy = *n, *m = n ? n->next : NULL;

	n->pos[1].y = (*m).next->b[there] = 3;
	copy.pos[0] = give().pos[1];
	(&copy.pos[0])[1].x = *pointed[2];
	n->next = m ? m : (void *)0;
	return first(copy) + (&copy != n) + (m == NULL) + give().a;
}

void *pointers(get_t fn, get_t *table, int i, unsigned long address)
{
	fn(1);
	(*fn)(2);
	table[i](3);
	fn = table[0] ? call : &call;
	print("%d %c\n", (u8)i, 'a');
	i = address;
	return i ? (void *)i : (void *)address;
}

int constants(int x)
{
	enum { TEN = 10, NEXT } local = TEN;
	int list[NEXT - 8] = { [1] = 5 };

	local = NEXT;
	return list[1] + local + offsetof(struct node, pos[1].y) + sizeof list + sizeof(x++)
		+ 0x80000000 / 2 + _Alignof(u64) + '\n' + 10ul;
}
