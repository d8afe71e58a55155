/* SPDX-License-Identifier: GPL-2.0-or-later */
extern int call(int);
extern void stop(void) __attribute__((noreturn));

int loops(int n)
{
	int i, sum = 0;

	for (i = 0; i < n; i++)
		sum += i;
	for (;;) {
		if (call(sum))
			break;
		if (sum > 9)
			continue;
		sum++;
	}
	for (; i; )
		i = call(i);
	for (int j = 0, k = 9; j < k; j++, k--)
		call(j);
	while (call(n))
		n--;
	do
		n++;
	while (n < 10 && call(n));
	do {
		if (n)
			break;
		call(5);
	} while (0);
	return sum;
}

int cases(int n)
{
	switch (n) {
	case 0:
		n = 1;
	case 1 ... 4:
		return n;
	case 5: {
		int m = call(n);

		if (m)
			break;
		__attribute__((fallthrough));
	}
	default:
		n = -1;
		break;
	case -3:
		stop();
	}
	return n;
}

int constant_switch(long *p)
{
	switch (sizeof(*p)) {
	case 4:
		return call(4);
	case 8:
		return call(8);
	default:
		stop();
	}
}

int gotos(int n)
{
again:
	if (call(n))
		goto out;
	if (n--)
		goto again;
	return 0;
out:
	return n;
}

int dead_but_entered(int n)
{
	if (n)
		goto inside;
	if (0) {
		call(1);
inside:
		call(2);
	}
	while (1) {
		if (call(3))
			return 4;
	}
	call(5);
}

int duff(int n)
{
	switch (n) {
		do {
	case 0:
			call(0);
	case 1:
			call(1);
		} while (--n > 0);
	}
	return n;
}

int computed(int n)
{
	__label__ one, two;
	static void *const table[] = { &&one, &&two };

	goto *table[n];
one:
	return 1;
two:
	return 2;
}

int jump_asm(int n)
{
	asm goto("cbz %0, %l[zero]" : : "r"(n) : : zero);
	return 1;
zero:
	return 0;
}

unsigned long asms(unsigned long *p, int n)
{
	unsigned long r;

	asm volatile("mrs %0, daif\n"
		     "msr daifset, #%1" : "=r"(r), [mem] "+Q"(*p) : "i"(3), "r"(n) : "memory");
	asm volatile("" : : : "memory");
	return r;
}
