// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages, warnings, the end. Facts from kernel/printk/printk.c, kernel/panic.c,
 * lib/vsprintf.c, lib/ratelimit.c.
 */

int _printk(const char *fmt, ...) { return model_printk(fmt); }
int _printk_deferred(const char *fmt, ...) { return model_printk(fmt); }
void _dev_err(const struct device *dev, const char *fmt, ...) { model_printk(fmt); }
void _dev_warn(const struct device *dev, const char *fmt, ...) { model_printk(fmt); }
void _dev_info(const struct device *dev, const char *fmt, ...) { model_printk(fmt); }
void __warn_printk(const char *fmt, ...) { model_warn_printk(fmt); }
int snprintf(char *buf, size_t size, const char *fmt, ...) { return model_format(buf, size, fmt); }
int sprintf(char *buf, const char *fmt, ...) { return model_format(buf, 0x7fffffff, fmt); }
int vsnprintf(char *buf, size_t size, const char *fmt, void *args) { return model_vformat(buf, size, fmt, args); }

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	int length = model_format(buf, size, fmt);

	if (length < (int)size)
		return length;
	return size ? (int)size - 1 : 0;
}

/* No message is held back: a report must not depend on how many there were. */
int ___ratelimit(void *rs, const char *func) { return 1; }
void add_taint(unsigned int flag, int lockdep_ok) { model_taint(flag); }
void dump_stack(void) { }

void refcount_warn_saturate(int *refs, int how)
{
	*refs = -0x40000000;
	switch (how) {
	case 0:
		model_warn("lib/refcount.c", 19, "refcount_t: saturated; leaking memory.");
		break;
	case 1:
		model_warn("lib/refcount.c", 22, "refcount_t: saturated; leaking memory.");
		break;
	case 2:
		model_warn("lib/refcount.c", 25, "refcount_t: addition on 0; use-after-free.");
		break;
	case 3:
		model_warn("lib/refcount.c", 28, "refcount_t: underflow; use-after-free.");
		break;
	default:
		model_warn("lib/refcount.c", 31, "refcount_t: decrement hit 0; leaking memory.");
	}
}

void panic(const char *fmt, ...)
{
	char text[256];

	model_format(text, sizeof(text), fmt);
	model_panic(text);
}
