/* SPDX-License-Identifier: GPL-2.0-or-later */
typedef unsigned char u8;
struct ops { int (*get)(int); void (*put)(void *); const char *name; };
struct dev {
	struct ops ops;
	const struct ops *indirect;
	union { int a; long b; };
	struct { int x, y; };
	int tail[4];
};
struct id { const char *compatible; const void *data; };
typedef void (*any_t)(void);
extern int ext(int);
static int get(int x) { return x; }
static void put(void *p) { }

static const struct ops plain = { .get = get, .put = &put, .name = "plain" };
struct ops table[] = { { get, put }, [3] = { .get = ext }, { (int (*)(int))put } };
struct dev device = {
	.ops.put = put, .ops = { .get = get }, .ops.name = "n", .indirect = &plain,
	.b = 3, .y = 2, { 7, [2 ... 3] = 9 },
};
struct dev elided = { get, put, "x", &(const struct ops){ .get = ext }, 5, 6, 7, 1, 2, 3, 4 };
static const struct id ids[] = {
	{ .compatible = "a,b", .data = get }, { .compatible = "a,c", .data = &device.tail[2] }, { }
};
static const any_t anys[2][2] = { [0 ... 1] = { (any_t)get, (any_t)put } };
int matrix[2][3] = { 1, 2, 3, 4 };
char text[8] = "abc", braced[] = { "de" };
static u8 sparse[16] = { [1] = 1, 2, [8 ... 9] = 3, 4 };
struct dev by_value = { .ops = (struct ops){ .put = put }, .x = 1 };
long address = (long)&device.x;

int locals(int n)
{
	static int count = 3;
	struct dev d = { .a = n, .tail = { [1] = n } };
	struct ops o = { }, copy = plain;
	int list[] = { n, n + 1 };

	d.ops = (struct ops){ .get = get };
	count += list[1] + (d.ops.get ? o.get(copy.get(n)) : 0);
	return ids[0].data != anys[0][1];
}
