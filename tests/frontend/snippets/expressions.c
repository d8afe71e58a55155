/* SPDX-License-Identifier: GPL-2.0-or-later */
typedef unsigned char u8;
typedef unsigned long u64;
typedef _Bool bool;
struct bits { unsigned int low : 3; int high : 5; u8 tail; };
union word { u64 all; u8 bytes[8]; };
struct node { struct node *next; int value; union { int a; u8 b[4]; }; struct { int x, y; } pos[2]; };
extern int call(int);

int integers(u8 a, long b, unsigned int c)
{
	a += 3;
	a <<= 2;
	c -= a;
	b = a * c - b / 2;
	b ^= ~c;
	return a > c ? -a : b % 7;
}

bool truth(struct node *n, int i)
{
	bool yes = n;

	yes = i;
	yes = !i;
	return yes && (i & 4);
}

long steps(struct node *n, int *p)
{
	int i = 0, j = i++;

	*p++ = ++i;
	n->value--;
	p += j;
	return p - &n->value;
}

int members(struct node *n, struct bits *b, union word *w)
{
	struct node *next = (*n).next;

	b->low = n->b[1];
	b->high += b->low;
	w->bytes[next->pos[1].y] = w->all;
	(&n->pos[0])[1].x = 1;
	return n->a;
}

int choices(struct node *n, int i)
{
	int a = i ?: 7;
	int b = call(i) ?: 8;
	struct node *m = n ? n->next : (void *)0;

	a = i ? call(1) : call(2);
	b = (call(3), i + 1);
	return i && call(a) && !(b || call(b)) && m;
}

int constants(void)
{
	enum { ZERO, ONE, TEN = 10 };
	int a = TEN << ONE, b = 'a' + 0x10u, c = (u8)0x1ff;

	if (sizeof(struct node) == 40 && __builtin_offsetof(struct node, pos[1].y) == 32)
		return a;
	return call(b) + c;
}

u64 offsets(int i)
{
	return __builtin_offsetof(struct node, pos[i].y) + __alignof__(struct node);
}

const char *strings(void)
{
	char local[] = "ab\0c";
	const unsigned short *wide = (const unsigned short *)L"x\n";

	return local[1] + wide[0] ? "one" "two" : __func__;
}

double floats(float f, int i)
{
	f += i;
	return f * 2.5 - (int)f;
}

void (*pointers(void (*fn)(int), void (**table)(int), int i))(int)
{
	fn(1);
	(*fn)(2);
	table[i](3);
	fn = (void (*)(int))call;
	return &*fn;
}
