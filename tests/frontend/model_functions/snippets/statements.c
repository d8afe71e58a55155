/* SPDX-License-Identifier: GPL-2.0-or-later */
enum state { OFF, ON = 5, LATE };
extern int call(int value);
_Noreturn void stop(void);

int loops(int n)
{
	int sum = 0;

	for (int k = 0; k < 3; k++) {
		if (k == 2)
			continue;
		sum += call(k);
	}
	for (;;) {
		if (!call(n))
			break;
	}
	while (n--)
		call(n);
	do {
		n++;
	} while (n < sizeof(long) && call(n));
	return sum;
}

int cases(enum state s, u8 small)
{
	switch (s) {
	case OFF:
		small = 1;
	case ON: {
		int inner = small;

		return inner;
	}
	default:
		goto out;
	case LATE:
		stop();
	}
	switch (small) case -1: return 9;
out:
	switch (small) {
	case 0: do { call(0);
	case 1:      call(1);
		} while (--small);
	}
	return 0;
}

int conditions(int i, int b)
{
	if (i && call(b) && !(b || call(b)))
		return 1;
	if (0)
		call(99);
	i ? call(1) : stop();
	b = i ? call(2) : (call(3), i + 1);
	return (i = b) || call(4);
}

static int counter(void)
{
	static int count = 3;
	int copy = count;
	{
		static int count;
		copy += count++;
	}
	return ++count + copy;
}

const char *name(void)
{
	int shadow = counter();
	if (shadow) {
		long shadow = 2;
		call(shadow);
	}
	return shadow ? __func__ : "none";
}
