/* DPDK's hash table and ring, at the jobs of the engine.
 *
 * Question: what does one pay who keeps paths in rte_hash and hands commands over by rte_ring?
 * A path is an 8-byte key; to relink it is to update the key's value. The table is the one a
 * datapath would take: readers without a lock beside one writer, buckets extended when full,
 * CRC as hash. The ring has one producer and one consumer, 1024 slots of 64 bytes.
 * Everything here favors the peer: keys are dense and ready in an array, the table's memory is
 * there and touched before the first insert, and nobody waits for a completion.
 *
 * Called as `dpdk JOB [OPTION…] [-- EAL_OPTION…]`; the jobs are ring, relink, offload and lookup.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_log.h>
#include <rte_pause.h>
#include <rte_ring_elem.h>
#include <rte_ring_peek_zc.h>

#include "peer.h"

/* Most words of the EAL's command line. */
#define EAL_WORDS 32
/* Slots of the ring. */
#define RING_SLOTS 1024
/* Largest burst. */
#define BURST_MOST 32
/* Slots of one turn, and of a quick one. */
#define TURN_SLOTS (1u << 18)
#define QUICK_SLOTS (1u << 15)
/* Updates or lookups that a turn has at least, so that the clock's own cost does not count. */
#define TURN_OPERATIONS 100000u
/* Lookups of one turn, and of a quick one. */
#define TURN_LOOKUPS (1u << 18)
#define QUICK_LOOKUPS (1u << 15)
/* Lookups that are timed one by one. */
#define SINGLE_LOOKUPS 400000u
#define QUICK_SINGLE_LOOKUPS 50000u
/* Updates between two looks of the writer at the clock. */
#define WRITER_BATCH 64
/* The batch at which lookups are held against the rate of relinks: the largest there is. */
#define RATE_BATCH RTE_HASH_LOOKUP_BULK_MAX
/* A writer that is not held back. */
#define FULL_RATE 0.0

static struct peer_settings settings;

/* --- the ring ------------------------------------------------------------------------------ */

/* What the engine's slots are: 64 bytes, a cache line. */
struct slot {
	uint64_t words[8];
} __attribute__((aligned(64)));

struct ring_case {
	struct rte_ring *ring;
	unsigned burst;
	unsigned slots;
	/* Of the first and last word of each slot, so that every slot is read. The consumer's, and
	 * out of the producer's way. */
	uint64_t read __attribute__((aligned(PEER_APART)));
};

/* As the engine's host does: every word of the slot is written. */
static void fill(struct slot *slot, uint64_t number)
{
	for (unsigned word = 0; word < RTE_DIM(slot->words); word++)
		slot->words[word] = number + word;
}

static uint64_t use(const struct slot *slot)
{
	return slot->words[0] ^ slot->words[RTE_DIM(slot->words) - 1];
}

static unsigned put_copied(const struct ring_case *ring, uint64_t number, unsigned count)
{
	struct slot slots[BURST_MOST];

	for (unsigned i = 0; i < count; i++)
		fill(&slots[i], number + i);
	for (unsigned put = 0; put < count;) {
		unsigned now = rte_ring_enqueue_burst_elem(ring->ring, slots + put, sizeof(*slots),
							   count - put, NULL);

		if (now == 0)
			rte_pause();
		put += now;
	}
	return count;
}

static unsigned take_copied(const struct ring_case *ring, uint64_t *sum)
{
	struct slot slots[BURST_MOST];
	unsigned count = rte_ring_dequeue_burst_elem(ring->ring, slots, sizeof(*slots), ring->burst,
						     NULL);

	for (unsigned i = 0; i < count; i++)
		*sum += use(&slots[i]);
	return count;
}

static unsigned put_in_place(const struct ring_case *ring, uint64_t number, unsigned count)
{
	struct rte_ring_zc_data place;
	struct slot *slots;

	count = rte_ring_enqueue_zc_burst_elem_start(ring->ring, sizeof(*slots), count, &place,
						     NULL);
	if (count == 0)
		return 0;
	slots = place.ptr1;
	for (unsigned i = 0; i < place.n1; i++)
		fill(&slots[i], number + i);
	slots = place.ptr2;
	for (unsigned i = place.n1; i < count; i++)
		fill(&slots[i - place.n1], number + i);
	rte_ring_enqueue_zc_elem_finish(ring->ring, count);
	return count;
}

static unsigned take_in_place(const struct ring_case *ring, uint64_t *sum)
{
	struct rte_ring_zc_data place;
	const struct slot *slots;
	unsigned count = rte_ring_dequeue_zc_burst_elem_start(ring->ring, sizeof(*slots),
							      ring->burst, &place, NULL);

	if (count == 0)
		return 0;
	slots = place.ptr1;
	for (unsigned i = 0; i < place.n1; i++)
		*sum += use(&slots[i]);
	slots = place.ptr2;
	for (unsigned i = place.n1; i < count; i++)
		*sum += use(&slots[i - place.n1]);
	rte_ring_dequeue_zc_elem_finish(ring->ring, count);
	return count;
}

/* Two calls with the same loops around them: so the compiler sees through both. */
#define RING_TURNS(name, put, take)                                                               \
	static void name##_consume(void *context)                                                 \
	{                                                                                         \
		struct ring_case *ring = context;                                                 \
		uint64_t sum = 0;                                                                 \
                                                                                                  \
		for (unsigned taken = 0; taken < ring->slots;) {                                  \
			unsigned now = take(ring, &sum);                                             \
                                                                                                  \
			if (now == 0)                                                             \
				rte_pause();                                                      \
			taken += now;                                                             \
		}                                                                                 \
		ring->read = sum;                                                                 \
	}                                                                                         \
                                                                                                  \
	static double name##_two_cores(void *context)                                             \
	{                                                                                         \
		struct ring_case *ring = context;                                                 \
		struct peer_partner consumer;                                                     \
		double start;                                                                     \
                                                                                                  \
		peer_partner_start(&consumer, name##_consume, ring);                              \
		start = peer_now_ns();                                                            \
		for (unsigned number = 0; number < ring->slots;) {                                \
			unsigned wanted = RTE_MIN(ring->burst, ring->slots - number);             \
			unsigned now = put(ring, number, wanted);                                 \
                                                                                                  \
			if (now == 0)                                                             \
				rte_pause();                                                      \
			number += now;                                                            \
		}                                                                                 \
		peer_partner_join(&consumer);                                                     \
		return finished(ring, start);                                                     \
	}                                                                                         \
                                                                                                  \
	static double name##_same_core(void *context)                                             \
	{                                                                                         \
		struct ring_case *ring = context;                                                 \
		double start = peer_now_ns();                                                     \
		uint64_t sum = 0;                                                                 \
                                                                                                  \
		for (unsigned number = 0; number < ring->slots;) {                                \
			number += put(ring, number, ring->burst);                                 \
			while (take(ring, &sum) != 0)                                             \
				;                                                                 \
		}                                                                                 \
		ring->read = sum;                                                                 \
		return finished(ring, start);                                                     \
	}

/* Holds what was read against what was written; gives nanoseconds per slot. */
static double finished(const struct ring_case *ring, double start)
{
	double took = peer_now_ns() - start;
	uint64_t written = 0;

	for (unsigned number = 0; number < ring->slots; number++) {
		struct slot slot;

		fill(&slot, number);
		written += use(&slot);
	}
	peer_check(ring->read == written, "rte_ring: what was read is not what was written");
	return took / ring->slots;
}

RING_TURNS(copied, put_copied, take_copied)
RING_TURNS(in_place, put_in_place, take_in_place)

static void measure_rings(void)
{
	static const unsigned bursts[] = {1, 8, 32};
	static const struct {
		const char *name, *series;
		double (*turn)(void *context);
	} roads[] = {
		{"same_core/burst_%u", "rte_ring", copied_same_core},
		{"same_core/burst_%u", "rte_ring zero-copy", in_place_same_core},
		{"two_cores/burst_%u", "rte_ring", copied_two_cores},
		{"two_cores/burst_%u", "rte_ring zero-copy", in_place_two_cores},
	};
	unsigned slots = settings.is_quick ? QUICK_SLOTS : TURN_SLOTS;

	for (unsigned i = 0; i < RTE_DIM(bursts) * RTE_DIM(roads); i++) {
		unsigned road = i % RTE_DIM(roads);
		struct ring_case ring = {.burst = bursts[i / RTE_DIM(roads)], .slots = slots};
		struct peer_series series = {
			.job = "ring",
			.name = peer_name(roads[road].name, ring.burst),
			.series = roads[road].series,
			.unit = "ns/slot",
			.context = &ring,
		};

		ring.ring = rte_ring_create_elem("ring", sizeof(struct slot), RING_SLOTS,
						 SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		peer_check(ring.ring != NULL, "rte_ring: cannot be made");
		peer_measure(&series, roads[road].turn);
		rte_ring_free(ring.ring);
	}
}

/* --- the table ----------------------------------------------------------------------------- */

struct table_case {
	struct rte_hash *table;
	size_t size;
	/* Every key once, in the order in which they are updated. */
	uint64_t *keys;
	/* How often all keys are updated in a turn. */
	unsigned rounds;
	/* What the last update stored, plus the key. */
	uint64_t stored;
};

/* The value of a key in a round; never null, which rte_hash would not tell from absent. */
static void *value(uint64_t round, uint64_t key)
{
	return (void *)(uintptr_t)(round * PEER_LOOKUP_ENTRIES * 2 + key + 1);
}

static struct rte_hash *make_table(size_t size)
{
	struct rte_hash_parameters parameters = {
		.name = "table",
		/* With a quarter to spare, so that the table is not measured at its limit. */
		.entries = (uint32_t)(size + size / 4 + RTE_HASH_LOOKUP_BULK_MAX),
		.key_len = sizeof(uint64_t),
		.hash_func = rte_hash_crc,
		.socket_id = SOCKET_ID_ANY,
		.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF |
			      RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
	};
	struct rte_hash *table = rte_hash_create(&parameters);

	if (table == NULL)
		fprintf(stderr, "rte_hash_create: %s\n", rte_strerror(rte_errno));
	peer_check(table != NULL, "rte_hash: cannot be made");
	return table;
}

static void store(struct rte_hash *table, uint64_t key, void *stored)
{
	peer_check(rte_hash_add_key_data(table, &key, stored) == 0, "rte_hash: cannot store");
}

static void check_stored(const struct table_case *table)
{
	for (uint64_t key = 0; key < table->size; key++) {
		void *found = NULL;

		peer_check(rte_hash_lookup_data(table->table, &key, &found) >= 0 &&
				   found == value(table->stored, key),
			   "rte_hash: a key does not have the value stored last");
	}
}

static double update(void *context)
{
	struct table_case *table = context;
	double start = peer_now_ns();

	for (unsigned round = 0; round < table->rounds; round++) {
		table->stored++;
		for (size_t i = 0; i < table->size; i++)
			store(table->table, table->keys[i], value(table->stored, table->keys[i]));
	}
	return (peer_now_ns() - start) / ((double)table->size * table->rounds);
}

static double insert(void *context)
{
	struct table_case *table = context;
	double took = 0;

	for (unsigned round = 0; round < table->rounds; round++) {
		double start;

		rte_hash_reset(table->table);
		start = peer_now_ns();
		for (size_t i = 0; i < table->size; i++)
			store(table->table, table->keys[i], value(0, table->keys[i]));
		took += peer_now_ns() - start;
	}
	return took / ((double)table->size * table->rounds);
}

static unsigned rounds_of(size_t size)
{
	return size >= TURN_OPERATIONS ? 1 : (unsigned)(TURN_OPERATIONS / size);
}

static void measure_updates(size_t size)
{
	struct table_case table = {.table = make_table(size), .size = size,
				   .rounds = rounds_of(size)};

	for (uint64_t key = 0; key < size; key++)
		store(table.table, key, value(0, key));
	for (unsigned is_shuffled = 0; is_shuffled < 2; is_shuffled++) {
		struct peer_series series = {
			.job = "relink",
			.name = peer_name("list/%s/%zu", is_shuffled ? "shuffled" : "in_order",
					  size),
			.series = "rte_hash update",
			.unit = "ns/path",
			.context = &table,
		};

		table.keys = peer_keys(size, is_shuffled);
		peer_measure(&series, update);
		check_stored(&table);
		free(table.keys);
	}
	rte_hash_free(table.table);
}

static void measure_inserts(size_t size)
{
	struct table_case table = {.table = make_table(size), .size = size,
				   .keys = peer_keys(size, false), .rounds = rounds_of(size)};
	struct peer_series series = {
		.job = "offload",
		.name = peer_name("path/%zu", size),
		.series = "rte_hash insert",
		.unit = "ns/object",
		.context = &table,
	};

	peer_measure(&series, insert);
	check_stored(&table);
	free(table.keys);
	rte_hash_free(table.table);
}

/* --- lookups ------------------------------------------------------------------------------- */

struct lookup_case {
	struct rte_hash *table;
	/* Random keys, all of them in the table. */
	uint64_t *keys;
	unsigned lookups;
	unsigned batch;
	/* The next key to look up. */
	size_t next;
	/* Of all values, so that none is skipped. */
	uint64_t read;
	/* The writer's part, out of the reader's way. */
	struct rte_hash *written __attribute__((aligned(PEER_APART)));
	struct peer_partner writer;
	/* Updates a second that the writer is asked for, and what it did. */
	double wanted, done;
	int is_over;
};

static void write_values(void *context)
{
	struct lookup_case *lookup = context;
	uint64_t state = 1234567, round = 1, written = 0;
	double start = peer_now_ns(), now = start;

	while (!__atomic_load_n(&lookup->is_over, __ATOMIC_ACQUIRE)) {
		now = peer_now_ns();
		if (lookup->wanted != FULL_RATE &&
		    (double)written > (now - start) * lookup->wanted / 1e9) {
			rte_pause();
			continue;
		}
		for (unsigned i = 0; i < WRITER_BATCH; i++) {
			uint64_t key = peer_random(&state) % PEER_LOOKUP_ENTRIES;

			store(lookup->written, key, value(round, key));
		}
		written += WRITER_BATCH;
		round++;
	}
	lookup->done = (double)written / (peer_now_ns() - start) * 1e9;
}

static void begin_writing(void *context)
{
	struct lookup_case *lookup = context;

	lookup->is_over = 0;
	peer_partner_start(&lookup->writer, write_values, lookup);
}

static void end_writing(void *context)
{
	struct lookup_case *lookup = context;

	__atomic_store_n(&lookup->is_over, 1, __ATOMIC_RELEASE);
	peer_partner_join(&lookup->writer);
}

/* Each lookup is of the next random key; a turn starts where the last one ended. */
static uint64_t *next_keys(struct lookup_case *lookup, unsigned count)
{
	if (lookup->next + count > PEER_LOOKUP_ENTRIES)
		lookup->next = 0;
	lookup->next += count;
	return lookup->keys + lookup->next - count;
}

static double look_up_one_by_one(void *context)
{
	struct lookup_case *lookup = context;
	double start = peer_now_ns();

	for (unsigned i = 0; i < lookup->lookups; i++) {
		void *found = NULL;

		peer_check(rte_hash_lookup_data(lookup->table, next_keys(lookup, 1), &found) >= 0,
			   "rte_hash: a key is not there");
		lookup->read += (uintptr_t)found;
	}
	return (peer_now_ns() - start) / lookup->lookups;
}

static double look_up_in_bulk(void *context)
{
	struct lookup_case *lookup = context;
	double start = peer_now_ns();
	const unsigned batch = lookup->batch;

	for (unsigned done = 0; done < lookup->lookups; done += batch) {
		const void *keys[RTE_HASH_LOOKUP_BULK_MAX];
		void *found[RTE_HASH_LOOKUP_BULK_MAX];
		uint64_t *key = next_keys(lookup, batch), hits = 0;

		for (unsigned i = 0; i < batch; i++)
			keys[i] = &key[i];
		peer_check(rte_hash_lookup_bulk_data(lookup->table, keys, batch, &hits, found) ==
				   (int)batch,
			   "rte_hash: a key is not there");
		for (unsigned i = 0; i < batch; i++)
			lookup->read += (uintptr_t)found[i];
	}
	return (peer_now_ns() - start) / lookup->lookups;
}

static void look_up_timed(void *context, uint32_t *cycles, size_t count)
{
	struct lookup_case *lookup = context;

	for (size_t i = 0; i < count; i++) {
		const uint64_t *key = next_keys(lookup, 1);
		uint64_t start = peer_cycles();
		void *found = NULL;

		peer_check(rte_hash_lookup_data(lookup->table, key, &found) >= 0,
			   "rte_hash: a key is not there");
		lookup->read += (uintptr_t)found;
		cycles[i] = (uint32_t)(peer_cycles() - start);
	}
}

static struct peer_series lookup_series(struct lookup_case *lookup, bool is_relinked,
					const char *name, const char *unit)
{
	struct peer_series series = {.job = "lookup", .name = name, .series = "rte_hash bulk",
				     .unit = unit, .context = lookup};

	lookup->next = 0;
	if (is_relinked) {
		series.begin = begin_writing;
		series.end = end_writing;
		series.relinks_per_second = &lookup->done;
	}
	return series;
}

static void measure_batches(struct lookup_case *lookup, bool is_relinked)
{
	static const unsigned batches[] = {1, 16, 32, 64};
	const char *after = is_relinked ? "/relinked" : "";
	size_t singles = settings.is_quick ? QUICK_SINGLE_LOOKUPS : SINGLE_LOOKUPS;
	struct peer_series series;

	lookup->wanted = FULL_RATE;
	for (unsigned i = 0; i < RTE_DIM(batches); i++) {
		lookup->batch = batches[i];
		series = lookup_series(lookup, is_relinked,
				       peer_name("batch/%u%s", batches[i], after), "ns/lookup");
		peer_measure(&series, batches[i] == 1 ? look_up_one_by_one : look_up_in_bulk);
	}
	series = lookup_series(lookup, is_relinked, peer_name("single%s", after), "ns");
	series.series = "rte_hash";
	peer_measure_latency(&series, look_up_timed, singles);
}

static void measure_rates(struct lookup_case *lookup)
{
	static const struct {
		const char *name;
		double wanted;
	} rates[] = {
		{"rate/0", 0},	       {"rate/100000", 1e5}, {"rate/1000000", 1e6},
		{"rate/10000000", 1e7}, {"rate/full", FULL_RATE},
	};

	lookup->batch = RATE_BATCH;
	for (unsigned i = 0; i < RTE_DIM(rates); i++) {
		bool is_relinked = i > 0;
		struct peer_series series =
			lookup_series(lookup, is_relinked, rates[i].name, "ns/lookup");

		lookup->wanted = rates[i].wanted;
		lookup->done = 0;
		series.relinks_per_second = &lookup->done;
		peer_measure(&series, look_up_in_bulk);
	}
}

static void measure_lookups(void)
{
	struct lookup_case lookup = {
		.table = make_table(PEER_LOOKUP_ENTRIES),
		.keys = peer_random_keys(PEER_LOOKUP_ENTRIES, PEER_LOOKUP_ENTRIES),
		.lookups = settings.is_quick ? QUICK_LOOKUPS : TURN_LOOKUPS,
	};

	lookup.written = lookup.table;
	for (uint64_t key = 0; key < PEER_LOOKUP_ENTRIES; key++)
		store(lookup.table, key, value(0, key));
	measure_batches(&lookup, false);
	measure_batches(&lookup, true);
	measure_rates(&lookup);
	peer_check(lookup.read != 0, "rte_hash: no value was read");
	free(lookup.keys);
	rte_hash_free(lookup.table);
}

/* ------------------------------------------------------------------------------------------- */

/* Starts the EAL on the host's processor with the words after `--`. This thread must not be pinned
 * yet: the EAL spins for threads of its own, which it places where it may run itself. */
static void start_eal(char *program, int count, char **words)
{
	char option[] = "-l", core[16];
	char *eal[EAL_WORDS] = {program, option, core};
	int next = 3;

	snprintf(core, sizeof(core), "%u", settings.cores[0]);
	/* The first word is the `--`. */
	for (int i = 1; i < count; i++) {
		peer_check(next < EAL_WORDS - 1, "too many options for the EAL");
		eal[next++] = words[i];
	}
	/* Standard output is for the lines. */
	peer_check(rte_openlog_stream(stderr) == 0 && rte_eal_init(next, eal) >= 0,
		   "the EAL does not start; its messages stand above");
}

int main(int count, char **words)
{
	int read = peer_settings_read(&settings, count, words);

	start_eal(words[0], count - read, words + read);
	peer_pin();
	if (strcmp(settings.job, "ring") == 0) {
		measure_rings();
	} else if (strcmp(settings.job, "lookup") == 0) {
		measure_lookups();
	} else if (strcmp(settings.job, "relink") == 0 || strcmp(settings.job, "offload") == 0) {
		bool is_relink = strcmp(settings.job, "relink") == 0;

		for (size_t i = 0; i < settings.size_count; i++)
			(is_relink ? measure_updates : measure_inserts)(settings.sizes[i]);
	} else {
		peer_fail("there is no such job: ring, relink, offload, lookup");
	}
	return rte_eal_cleanup() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
