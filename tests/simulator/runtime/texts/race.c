// SPDX-License-Identifier: GPL-2.0-or-later
typedef unsigned long ulong;
#define READ_ONCE(x) ({ __typeof__(x) v_ = *(const volatile __typeof__(x) *)&(x); v_; })
#define WRITE_ONCE(x, v) do { *(volatile __typeof__(x) *)&(x) = (v); } while (0)
struct work { ulong data; void *next, *prev; void (*func)(struct work *); };
void _raw_spin_lock(void *), _raw_spin_unlock(void *);
void mutex_lock(void *), mutex_unlock(void *);
int smp_call_function_single(int, void (*)(void *), void *, int);
int stop_machine(int (*)(void *), void *, void *);
_Bool queue_work_on(int, void *, struct work *);
_Bool flush_work(struct work *);
void *kthread_create_on_node(int (*)(void *), void *, int, const char *, ...);
int wake_up_process(void *), kthread_stop(void *);
void complete(void *), wait_for_completion(void *);
extern void *system_wq;
int plain, other;
_Bool left, right;
struct { int a : 3; int b : 5; } bits;
ulong lock[4], done[8];
struct work work;
void write_plain(void) { plain = 1; }
int read_plain(void) { return plain; }
void write_locked(void) { _raw_spin_lock(lock); plain = 1; _raw_spin_unlock(lock); }
int read_locked(void) { _raw_spin_lock(lock); int r = plain; _raw_spin_unlock(lock); return r; }
void write_mutex(void) { mutex_lock(lock); plain = 1; mutex_unlock(lock); }
int read_mutex(void) { mutex_lock(lock); int r = plain; mutex_unlock(lock); return r; }
void write_marked(void) { WRITE_ONCE(plain, 1); }
int read_marked(void) { return READ_ONCE(plain); }
void write_left(void) { left = 1; }
void write_right(void) { right = 1; }
void write_a(void) { bits.a = 1; }
void write_b(void) { bits.b = 1; }
int read_other(void) { return other; }
void call(void *info) { read_plain(); }
int ipi(void) { write_plain(); smp_call_function_single(1, call, 0, 1); write_plain(); return 0; }
void run(struct work *w) { plain++; }
int queued(void) { plain = 2; work.func = run; queue_work_on(1, system_wq, &work); flush_work(&work); return plain; }
int unflushed(void) { work.func = run; queue_work_on(1, system_wq, &work); plain = 3; return 0; }
int inside(void *data) { plain++; return 0; }
int stopped(void) { plain = 1; stop_machine(inside, 0, 0); return plain; }
int body(void *data) { return plain++; }
int thread(void) { plain = 5; void *t = kthread_create_on_node(body, 0, -1, "t"); wake_up_process(t); kthread_stop(t); return plain; }
void waker(void) { plain = 1; complete(done); }
int waiter(void) { wait_for_completion(done); return plain; }
static int frozen;
int up(unsigned int cpu) { return frozen ? 0 : answer("up", cpu); }
int down(unsigned int cpu) { plain = frozen; return 0; }
int reg(void) { return __cpuhp_setup_state(CPUHP_T_STARTING, "t:s", 0, up, down, 0); }
void freeze(void) { frozen = 1; }
