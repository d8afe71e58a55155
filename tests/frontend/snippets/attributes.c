/* SPDX-License-Identifier: GPL-2.0-or-later */
#define __init __attribute__((__section__(".init.text"))) __attribute__((__cold__))
#define __exit __attribute__((__section__(".exit.text"))) __attribute__((__used__)) __attribute__((__cold__))
#define __ref __attribute__((__section__(".ref.text"))) __attribute__((__noinline__))
#define __initdata __attribute__((__section__(".init.data")))
#define __weak __attribute__((__weak__))
#define __noreturn __attribute__((__noreturn__))
int __weak __init overridden(int a);
int overridden(int a) { return a; }
static int __init setup(void) { return 0; }
static void __exit teardown(void) { }
void __ref both(void) { }
void __noreturn die(void) { for (;;); }
_Noreturn void halt(void);
static int state __initdata = 3;
int (*const entry)(void) __attribute__((section(".initcall6.init"), used)) = setup;
void (*const leave)(void) = teardown;
int use(void) { if (state) halt(); return overridden(1); }
