/* SPDX-License-Identifier: GPL-2.0-or-later */
struct ops {
	int (*get)(int);
	void (*put)(void *);
	const char *name;
};
struct dev {
	struct ops ops;
	const struct ops *indirect;
	union { int a; long b; };
	struct { int x, y; };
	int tail[4];
};
#define SIZE (3 + 4)
#define LAST (SIZE - 1)
#ifdef MODEL_RT
#define KIND "rt"
#else
#define KIND "plain"
#endif
int ext(int);
static int get(int x) { return x + SIZE; }
static void put(void *p) { (void)p; }

static const struct ops plain = { .get = get, .put = &put, .name = KIND };
struct ops table[] = { { get, put }, [LAST] = { .get = ext }, { ext } };
static struct dev devices[SIZE];
struct dev device = {
	.ops.put = put, .ops.get = get, .indirect = &plain, .b = 3, .y = 2, { 7, [2] = 9 },
};
struct dev elided = { get, put, "x", &(const struct ops){ .get = ext }, 5, 6, 7, 1, 2, 3, 4 };
int matrix[2][3] = { 1, 2, 3, 4 };
char text[8] = "abc", braced[] = { "de" };
int *inside = &devices[2].tail[1], *behind = matrix[0] + 2;
unsigned long address = (unsigned long)&device.x;
static int tentative;
int tentative_use(void) { return tentative; }
static int tentative = 4;
extern struct dev elsewhere;
gfp_t flags = ~0u;

int locals(int n)
{
	struct dev d = { .a = n, .tail = { [1] = n } };
	struct ops o = { 0 }, copy = plain, *p = &(struct ops){ .get = get };
	int list[] = { n, n + 1 };

	d.ops = (struct ops){ .get = get };
	elsewhere.x = sizeof(list);
	return d.ops.get ? o.get(copy.get(n)) : p->get(list[1]);
}
