/* liburcu's lock-free hash table, at the jobs of the engine.
 *
 * Question: what does one pay who keeps paths in cds_lfht, the best known table with RCU readers?
 * Readers are of the QSBR flavor, which costs them least: a batch of lookups, then a quiescent
 * state. A writer replaces the node of a random key and takes nodes back after a grace period,
 * many at once. Everything here favors the peer: nodes are made before the clock runs, and the
 * table has its final size from the start.
 *
 * Called as `urcu JOB [OPTION…]`; the jobs are offload and lookup.
 */
#define RCU_QSBR
#define URCU_INLINE_SMALL_FUNCTIONS
#include <urcu/urcu-qsbr.h>

#include <urcu/rculfhash.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

/* Lookups of one turn, and of a quick one. */
#define TURN_LOOKUPS (1u << 17)
#define QUICK_LOOKUPS (1u << 14)
/* Lookups that are timed one by one. */
#define SINGLE_LOOKUPS 400000u
#define QUICK_SINGLE_LOOKUPS 50000u
/* Adds that a turn has at least, so that the clock's own cost does not count. */
#define TURN_OPERATIONS 100000u
/* Nodes that wait for one grace period together. */
#define GRACE_NODES 4096
/* Nodes of the writer: what waits, what is in the table, and as many to go on with. */
#define WRITER_NODES (4 * GRACE_NODES)

struct node {
	struct cds_lfht_node node;
	uint64_t key;
	/* The value and its complement: a torn value would be seen. */
	uint64_t value, complement;
	struct node *next;
};

static struct peer_settings settings;

/* Fibonacci hashing: dense keys fall far apart. */
static unsigned long hash(uint64_t key)
{
	return key * 0x9E3779B97F4A7C15u >> 20;
}

static int matches(struct cds_lfht_node *node, const void *key)
{
	return caa_container_of(node, struct node, node)->key == *(const uint64_t *)key;
}

static void set(struct node *node, uint64_t key, uint64_t value)
{
	cds_lfht_node_init(&node->node);
	node->key = key;
	node->value = value;
	node->complement = ~value;
}

/* The table has its final size at once: a power of two that is not below `size`. */
static struct cds_lfht *make_table(size_t size)
{
	unsigned long buckets = 1;
	struct cds_lfht *table;

	while (buckets < size)
		buckets *= 2;
	table = cds_lfht_new_flavor(buckets, buckets, buckets, 0, &urcu_qsbr_flavor, NULL);
	peer_check(table != NULL, "cds_lfht: cannot be made");
	return table;
}

static void clear_table(struct cds_lfht *table, struct node *nodes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		peer_check(cds_lfht_del(table, &nodes[i].node) == 0, "cds_lfht: cannot delete");
	peer_check(cds_lfht_destroy(table, NULL) == 0, "cds_lfht: cannot be destroyed");
}

/* --- offload ------------------------------------------------------------------------------- */

struct add_case {
	struct node *nodes;
	size_t size;
	unsigned rounds;
};

static double add(void *context)
{
	struct add_case *adds = context;
	double took = 0;

	for (unsigned round = 0; round < adds->rounds; round++) {
		struct cds_lfht *table = make_table(adds->size);
		double start = peer_now_ns();

		for (size_t i = 0; i < adds->size; i++) {
			struct node *node = &adds->nodes[i];

			set(node, i, i);
			cds_lfht_add(table, hash(i), &node->node);
		}
		took += peer_now_ns() - start;
		clear_table(table, adds->nodes, adds->size);
	}
	return took / ((double)adds->size * adds->rounds);
}

static void measure_adds(size_t size)
{
	struct add_case adds = {
		.nodes = peer_memory(size, sizeof(struct node)),
		.size = size,
		.rounds = size >= TURN_OPERATIONS ? 1 : (unsigned)(TURN_OPERATIONS / size),
	};
	struct peer_series series = {
		.job = "offload",
		.name = peer_name("path/%zu", size),
		.series = "cds_lfht add",
		.unit = "ns/object",
		.context = &adds,
	};

	peer_measure(&series, add);
	free(adds.nodes);
}

/* --- lookups ------------------------------------------------------------------------------- */

struct lookup_case {
	struct cds_lfht *table;
	/* Random keys, all of them in the table. */
	uint64_t *keys;
	unsigned lookups;
	/* Lookups from one quiescent state to the next. */
	unsigned batch;
	size_t next;
	uint64_t read;
	/* The writer's part, out of the reader's way. */
	struct cds_lfht *written __attribute__((aligned(PEER_APART)));
	struct peer_partner writer;
	/* The writer's nodes that are not in the table. */
	struct node *unused;
	double done;
	int is_over;
};

static void replace(struct lookup_case *lookup, uint64_t key, uint64_t value,
		    struct node **replaced)
{
	struct node *node = lookup->unused, *old;
	struct cds_lfht_iter place;

	lookup->unused = node->next;
	set(node, key, value);
	cds_lfht_lookup(lookup->written, hash(key), matches, &key, &place);
	peer_check(cds_lfht_replace(lookup->written, &place, hash(key), matches, &key,
				    &node->node) == 0,
		   "cds_lfht: cannot replace");
	old = caa_container_of(cds_lfht_iter_get_node(&place), struct node, node);
	old->next = *replaced;
	*replaced = old;
}

/* What was replaced is used again, when no reader can see it any more. */
static void take_back(struct lookup_case *lookup, struct node *replaced)
{
	urcu_qsbr_synchronize_rcu();
	while (replaced != NULL) {
		struct node *node = replaced;

		replaced = node->next;
		node->next = lookup->unused;
		lookup->unused = node;
	}
}

static void write_values(void *context)
{
	struct lookup_case *lookup = context;
	uint64_t state = 77, written = 0;
	double start;

	urcu_qsbr_register_thread();
	start = peer_now_ns();
	while (!__atomic_load_n(&lookup->is_over, __ATOMIC_ACQUIRE)) {
		struct node *replaced = NULL;

		for (unsigned i = 0; i < GRACE_NODES; i++, written++)
			replace(lookup, peer_random(&state) % PEER_LOOKUP_ENTRIES, written,
				&replaced);
		take_back(lookup, replaced);
	}
	lookup->done = (double)written / (peer_now_ns() - start) * 1e9;
	urcu_qsbr_unregister_thread();
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
	/* The writer may wait for this very thread. */
	urcu_qsbr_thread_offline();
	peer_partner_join(&lookup->writer);
	urcu_qsbr_thread_online();
}

static inline uint64_t look_up(struct lookup_case *lookup)
{
	const struct node *node;
	struct cds_lfht_iter place;
	uint64_t key;

	if (lookup->next == PEER_LOOKUP_ENTRIES)
		lookup->next = 0;
	key = lookup->keys[lookup->next++];
	cds_lfht_lookup(lookup->table, hash(key), matches, &key, &place);
	peer_check(cds_lfht_iter_get_node(&place) != NULL, "cds_lfht: a key is not there");
	node = caa_container_of(cds_lfht_iter_get_node(&place), struct node, node);
	peer_check(node->complement == ~node->value, "cds_lfht: a value is torn");
	return node->value;
}

static double look_up_batches(void *context)
{
	struct lookup_case *lookup = context;
	double start = peer_now_ns();

	for (unsigned done = 0; done < lookup->lookups; done += lookup->batch) {
		for (unsigned i = 0; i < lookup->batch; i++)
			lookup->read += look_up(lookup);
		urcu_qsbr_quiescent_state();
	}
	return (peer_now_ns() - start) / lookup->lookups;
}

static void look_up_timed(void *context, uint32_t *cycles, size_t count)
{
	struct lookup_case *lookup = context;

	for (size_t i = 0; i < count; i++) {
		uint64_t start = peer_cycles();

		lookup->read += look_up(lookup);
		cycles[i] = (uint32_t)(peer_cycles() - start);
		urcu_qsbr_quiescent_state();
	}
}

static void measure_beside(struct lookup_case *lookup, bool is_relinked)
{
	static const unsigned batches[] = {1, 64};
	const char *after = is_relinked ? "/relinked" : "";
	size_t singles = settings.is_quick ? QUICK_SINGLE_LOOKUPS : SINGLE_LOOKUPS;
	struct peer_series series = {.job = "lookup", .series = "cds_lfht", .unit = "ns/lookup",
				     .context = lookup};

	if (is_relinked) {
		series.begin = begin_writing;
		series.end = end_writing;
		series.relinks_per_second = &lookup->done;
	}
	for (unsigned i = 0; i < sizeof(batches) / sizeof(*batches); i++) {
		lookup->batch = batches[i];
		series.name = peer_name("batch/%u%s", batches[i], after);
		peer_measure(&series, look_up_batches);
	}
	series.name = peer_name("single%s", after);
	series.unit = "ns";
	peer_measure_latency(&series, look_up_timed, singles);
}

static void measure_lookups(void)
{
	struct node *nodes = peer_memory(PEER_LOOKUP_ENTRIES, sizeof(*nodes));
	struct node *writers = peer_memory(WRITER_NODES, sizeof(*writers));
	struct lookup_case lookup = {
		.table = make_table(PEER_LOOKUP_ENTRIES),
		.keys = peer_random_keys(PEER_LOOKUP_ENTRIES, PEER_LOOKUP_ENTRIES),
		.lookups = settings.is_quick ? QUICK_LOOKUPS : TURN_LOOKUPS,
	};

	lookup.written = lookup.table;
	for (uint64_t key = 0; key < PEER_LOOKUP_ENTRIES; key++) {
		set(&nodes[key], key, key);
		cds_lfht_add(lookup.table, hash(key), &nodes[key].node);
	}
	for (unsigned i = 0; i < WRITER_NODES; i++) {
		writers[i].next = lookup.unused;
		lookup.unused = &writers[i];
	}
	measure_beside(&lookup, false);
	measure_beside(&lookup, true);
	peer_check(lookup.read != 0, "cds_lfht: no value was read");
}

/* ------------------------------------------------------------------------------------------- */

int main(int count, char **words)
{
	peer_settings_read(&settings, count, words);
	peer_pin();
	urcu_qsbr_register_thread();
	if (strcmp(settings.job, "lookup") == 0) {
		measure_lookups();
	} else if (strcmp(settings.job, "offload") == 0) {
		for (size_t i = 0; i < settings.size_count; i++)
			measure_adds(settings.sizes[i]);
	} else {
		peer_fail("there is no such job: offload, lookup");
	}
	urcu_qsbr_unregister_thread();
	return EXIT_SUCCESS;
}
