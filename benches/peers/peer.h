/* What the C peers share: settings, two pinned threads, turns, and lines of JSON.
 *
 * A peer is a program of its own because its library is C; it prints the same lines as
 * `side-by-side`, so that `cargo xtask bench` can lay both beside one another. It measures in
 * short turns on two processors, and says before and after each series how long a cache line took
 * from one to the other: figures of two series compare only where that is about the same.
 * Knows neither DPDK nor liburcu, and judges nothing.
 */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most sizes that can be asked for. */
#define PEER_SIZES 8
/* Most turns of one series. */
#define PEER_TURNS 64
/* Bytes that are fetched together on x86-64: two lines. */
#define PEER_APART 128
/* Entries of the tables that are looked up. */
#define PEER_LOOKUP_ENTRIES 1000000u

/* What is to be measured. */
struct peer_settings {
	/* One word: `ring`, `relink`, `offload` or `lookup`. */
	const char *job;
	/* Numbers of objects, in ascending order. */
	size_t sizes[PEER_SIZES];
	size_t size_count;
	/* Turns of a series. */
	unsigned turns;
	/* Processors of the host's thread and the card's. */
	unsigned cores[2];
	/* Less work in each turn, for a first look. */
	bool is_quick;
};

/* One line of the report in the making. */
struct peer_series {
	const char *job;
	const char *name;
	const char *series;
	const char *unit;
	/* Called before and after the turns, between the two measurements of the hop. May be null. */
	void (*begin)(void *context);
	void (*end)(void *context);
	void *context;
	/* Relinks a second that a writer did meanwhile; written by `end`. Null if there is none. */
	const double *relinks_per_second;
};

/* A thread on the other processor. */
struct peer_partner {
	void (*run)(void *context);
	void *context;
	int is_running;
	unsigned long thread;
};

/* Reads the command line up to its end or `--`; gives the number of words read.
 * Ends the program with a message when the line makes no sense. */
int peer_settings_read(struct peer_settings *settings, int count, char **words);
/* Pins the calling thread to the host's processor. */
void peer_pin(void);

/* Ends the program with a message. */
void peer_fail(const char *what) __attribute__((noreturn));
/* Ends the program with a message unless `holds`. */
void peer_check(bool holds, const char *what);

/* Starts `run` on the other processor, and returns when it runs there. */
void peer_partner_start(struct peer_partner *partner, void (*run)(void *), void *context);
/* Waits for its end. */
void peer_partner_join(struct peer_partner *partner);

/* Wall clock in nanoseconds. */
double peer_now_ns(void);
/* Time stamp counter, read after all that stands before it. */
uint64_t peer_cycles(void);

/* Measures turns of `turn`, which gives nanoseconds per operation, and prints one line. */
void peer_measure(const struct peer_series *series, double (*turn)(void *context));
/* Measures `count` single operations in cycles, filled in by `turn`, and prints one line. */
void peer_measure_latency(const struct peer_series *series,
			  void (*turn)(void *context, uint32_t *cycles, size_t count),
			  size_t count);

/* The next number of a cheap generator that never gives the same one twice in a row. */
uint64_t peer_random(uint64_t *state);
/* The numbers from 0 to `count`, in order, or shuffled always the same way. */
uint64_t *peer_keys(size_t count, bool is_shuffled);
/* `count` random numbers below `limit`. */
uint64_t *peer_random_keys(size_t count, uint64_t limit);
/* Memory that is all zero and has been touched; the program ends when there is none. */
void *peer_memory(size_t count, size_t bytes);

/* Name of a case with a size or a batch in it, in memory of its own. */
const char *peer_name(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
