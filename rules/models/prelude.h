/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every model file can use without declaring it. The tool puts this text
 * before each file; with a compiler, say -include prelude.h.
 *
 * char is unsigned and long is as wide as a pointer, as in the kernel.
 */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;

typedef _Bool bool;
typedef unsigned long size_t;
typedef long ssize_t;
typedef unsigned long uintptr_t;

typedef unsigned int gfp_t;
typedef u64 phys_addr_t;
typedef u64 resource_size_t;
typedef u64 dma_addr_t;
typedef unsigned int fmode_t;

#define NULL ((void *)0)
#define true 1
#define false 0

struct device;
struct task_struct;
