// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Threads of the kernel that drivers make. Facts from kernel/kthread.c.
 *
 * A thread begins when it is woken for the first time. It ends when its function
 * returns; who stops it waits for that.
 */

typedef int (*thread_fn)(void *data);

struct completion;
void complete(struct completion *x);

struct task_struct *kthread_create_on_node(thread_fn fn, void *data, int node, const char *name, ...)
{
	return model_kthread(fn, data, name, -1);
}

struct task_struct *kthread_create_on_cpu(thread_fn fn, void *data, unsigned int cpu, const char *name)
{
	return model_kthread(fn, data, name, (int)cpu);
}

void kthread_bind(struct task_struct *task, unsigned int cpu) { model_kthread_set(task, "cpu", (int)cpu); }
int wake_up_process(struct task_struct *task) { return model_kthread_set(task, "wake", 1); }
bool kthread_should_stop(void) { return model_kthread_get(model_current(), "stop"); }
bool kthread_should_park(void) { return model_kthread_get(model_current(), "park"); }

static inline void wait_for(struct task_struct *task, const char *what)
{
	__might_sleep("kernel/sched/completion.c", 111);
	model_kthread_await(task, what);
	schedule();
}

int kthread_stop(struct task_struct *task)
{
	model_kthread_set(task, "stop", 1);
	wait_for(task, "done");
	return model_kthread_get(task, "result");
}

int kthread_stop_put(struct task_struct *task) { return kthread_stop(task); }

int kthread_park(struct task_struct *task)
{
	model_kthread_set(task, "park", 1);
	wait_for(task, "parked");
	return 0;
}

void kthread_unpark(struct task_struct *task) { model_kthread_set(task, "park", 0); }

void kthread_parkme(void)
{
	model_kthread_set(model_current(), "parked", 1);
	model_kthread_await(model_current(), "unparked");
	schedule();
	model_kthread_set(model_current(), "parked", 0);
}

_Noreturn void kthread_exit(long result)
{
	model_kthread_set(model_current(), "result", (int)result);
	model_exit();
}

_Noreturn void kthread_complete_and_exit(void *completion, long result)
{
	if (completion)
		complete(completion);
	kthread_exit(result);
}
