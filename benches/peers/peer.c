/* The shared part of the C peers; see peer.h. */
#define _GNU_SOURCE
#include "peer.h"

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <x86intrin.h>

/* Turns when the command line names no number. */
#define DEFAULT_TURNS 9
/* Round trips of one measurement of the hop; about 1 ms where processors are near. */
#define HOP_ROUND_TRIPS 20000
/* Measurements of the hop, of which the median is taken. */
#define HOP_TRIES 3
/* A series is measured again when the hop changed by more than this during it. */
#define HOP_CHANGE 1.5
/* How often a series is measured before it stays as it is. */
#define SERIES_TRIES 3
/* A turn is disturbed when its threads were taken off their processors more often than this. */
#define SWITCHES 2
/* Points of a distribution that are printed. */
#define POINTS 64
/* How long the time stamp counter is held against the clock. */
#define CALIBRATION_NS 20e6

static struct peer_settings chosen;

void peer_fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(EXIT_FAILURE);
}

void peer_check(bool holds, const char *what)
{
	if (!holds)
		peer_fail(what);
}

void peer_pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(chosen.cores[0], &set);
	peer_check(sched_setaffinity(0, sizeof(set), &set) == 0, "cannot pin to a processor");
}

/* Numbers separated by commas; gives how many there were. */
static size_t read_numbers(const char *text, size_t *numbers, size_t most)
{
	size_t count = 0;

	while (text != NULL && *text != '\0') {
		char *end = NULL;
		unsigned long number = strtoul(text, &end, 10);

		peer_check(end != text && (*end == '\0' || *end == ','), "expected numbers");
		peer_check(count < most, "too many numbers");
		numbers[count++] = number;
		text = *end == ',' ? end + 1 : end;
	}
	return count;
}

int peer_settings_read(struct peer_settings *settings, int count, char **words)
{
	size_t numbers[PEER_SIZES] = {0};
	int next = 2;

	peer_check(count > 1, "usage: PEER JOB [--sizes N,N] [--repeats N] [--cores A,B] [--quick]");
	*settings = (struct peer_settings){
		.job = words[1],
		.sizes = {10000, 100000, 1000000},
		.size_count = 3,
		.turns = DEFAULT_TURNS,
		.cores = {0, 1},
	};
	for (; next < count && strcmp(words[next], "--") != 0; next++) {
		const char *value = next + 1 < count ? words[next + 1] : NULL;

		if (strcmp(words[next], "--quick") == 0) {
			settings->is_quick = true;
			continue;
		}
		peer_check(value != NULL, "an option has no value");
		next++;
		if (strcmp(words[next - 1], "--sizes") == 0) {
			settings->size_count = read_numbers(value, settings->sizes, PEER_SIZES);
		} else if (strcmp(words[next - 1], "--repeats") == 0) {
			peer_check(read_numbers(value, numbers, 1) == 1, "--repeats wants one number");
			settings->turns = (unsigned)numbers[0];
		} else if (strcmp(words[next - 1], "--cores") == 0) {
			peer_check(read_numbers(value, numbers, 2) == 2, "--cores wants two numbers");
			settings->cores[0] = (unsigned)numbers[0];
			settings->cores[1] = (unsigned)numbers[1];
		} else {
			peer_fail("there is no such option");
		}
	}
	peer_check(settings->turns > 0 && settings->turns <= PEER_TURNS, "--repeats is 1 to 64");
	chosen = *settings;
	return next;
}

static void *partner_main(void *argument)
{
	struct peer_partner *partner = argument;

	__atomic_store_n(&partner->is_running, 1, __ATOMIC_RELEASE);
	partner->run(partner->context);
	return NULL;
}

void peer_partner_start(struct peer_partner *partner, void (*run)(void *), void *context)
{
	pthread_attr_t attributes;
	cpu_set_t set;

	*partner = (struct peer_partner){.run = run, .context = context};
	CPU_ZERO(&set);
	CPU_SET(chosen.cores[1], &set);
	peer_check(pthread_attr_init(&attributes) == 0, "cannot describe a thread");
	/* It starts where it belongs: with a fixed priority it would never get away from a
	 * processor on which somebody spins for it. */
	peer_check(pthread_attr_setaffinity_np(&attributes, sizeof(set), &set) == 0 &&
			   pthread_create(&partner->thread, &attributes, partner_main, partner) == 0,
		   "cannot start a thread on the second processor");
	pthread_attr_destroy(&attributes);
	while (!__atomic_load_n(&partner->is_running, __ATOMIC_ACQUIRE))
		_mm_pause();
}

void peer_partner_join(struct peer_partner *partner)
{
	peer_check(pthread_join(partner->thread, NULL) == 0, "cannot wait for a thread");
}

double peer_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

uint64_t peer_cycles(void)
{
	uint64_t cycles;

	_mm_lfence();
	cycles = __rdtsc();
	_mm_lfence();
	return cycles;
}

static double ns_per_cycle(void)
{
	static double found;
	double start, now;
	uint64_t first;

	if (found > 0)
		return found;
	start = peer_now_ns();
	first = peer_cycles();
	do {
		now = peer_now_ns();
	} while (now - start < CALIBRATION_NS);
	found = (now - start) / (double)(peer_cycles() - first);
	return found;
}

static int ascending(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), ascending);
	return values[count / 2];
}

/* One word that two threads hand to one another. */
static struct {
	uint64_t turn __attribute__((aligned(PEER_APART)));
	char apart[PEER_APART];
} hop;

static void answer(void *context)
{
	(void)context;
	for (uint64_t i = 0; i < HOP_ROUND_TRIPS; i++) {
		while (__atomic_load_n(&hop.turn, __ATOMIC_ACQUIRE) != 2 * i + 1)
			_mm_pause();
		__atomic_store_n(&hop.turn, 2 * i + 2, __ATOMIC_RELEASE);
	}
}

/* One way of a cache line from one processor to the other, in nanoseconds. */
static double hop_ns(void)
{
	double tries[HOP_TRIES];

	for (size_t try = 0; try < HOP_TRIES; try++) {
		struct peer_partner partner;
		double start;

		__atomic_store_n(&hop.turn, 0, __ATOMIC_RELEASE);
		peer_partner_start(&partner, answer, NULL);
		start = peer_now_ns();
		for (uint64_t i = 0; i < HOP_ROUND_TRIPS; i++) {
			__atomic_store_n(&hop.turn, 2 * i + 1, __ATOMIC_RELEASE);
			while (__atomic_load_n(&hop.turn, __ATOMIC_ACQUIRE) != 2 * i + 2)
				_mm_pause();
		}
		tries[try] = (peer_now_ns() - start) / (2.0 * HOP_ROUND_TRIPS);
		peer_partner_join(&partner);
	}
	return median(tries, HOP_TRIES);
}

static bool hop_changed(const double *hops)
{
	return hops[0] > hops[1] * HOP_CHANGE || hops[1] > hops[0] * HOP_CHANGE;
}

/* How often threads of this program were taken off their processors by others. */
static long switches(void)
{
	struct rusage usage;

	peer_check(getrusage(RUSAGE_SELF, &usage) == 0, "cannot ask for context switches");
	return usage.ru_nivcsw;
}

static void begin_line(const char *kind, const struct peer_series *series)
{
	printf("{\"kind\":\"%s\",\"job\":\"%s\",\"case\":\"%s\",\"series\":\"%s\",\"unit\":\"%s\"",
	       kind, series->job, series->name, series->series, series->unit);
}

static void end_line(const struct peer_series *series, unsigned rejected, const double *hops)
{
	if (series->relinks_per_second != NULL)
		printf(",\"relinks_per_second\":%.0f", *series->relinks_per_second);
	printf(",\"rejected\":%u,\"hop_ns\":[%.1f,%.1f]}\n", rejected, hops[0], hops[1]);
	fflush(stdout);
}

/* All turns of a series once; gives how many of them were thrown away as disturbed. */
static unsigned turns(const struct peer_series *series, double (*turn)(void *), double *samples)
{
	unsigned rejected = 0;

	for (unsigned i = 0; i < chosen.turns;) {
		long before = switches();

		samples[i] = turn(series->context);
		if (switches() - before > SWITCHES && rejected < chosen.turns)
			rejected++;
		else
			i++;
	}
	return rejected;
}

void peer_measure(const struct peer_series *series, double (*turn)(void *context))
{
	double samples[PEER_TURNS], hops[2];
	unsigned rejected = 0;

	fprintf(stderr, "%s %s: %s\n", series->job, series->name, series->series);
	for (unsigned try = 0; try < SERIES_TRIES; try++) {
		hops[0] = hop_ns();
		if (series->begin != NULL)
			series->begin(series->context);
		turn(series->context); /* Warms up. */
		rejected += turns(series, turn, samples);
		if (series->end != NULL)
			series->end(series->context);
		hops[1] = hop_ns();
		if (!hop_changed(hops))
			break;
		if (try + 1 < SERIES_TRIES)
			rejected += chosen.turns;
	}
	begin_line("sample", series);
	printf(",\"samples\":[");
	for (unsigned i = 0; i < chosen.turns; i++)
		printf("%s%.3f", i == 0 ? "" : ",", samples[i]);
	printf("]");
	end_line(series, rejected, hops);
}

static int ascending_cycles(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

static double at_fraction(const uint32_t *sorted, size_t count, double fraction)
{
	size_t place = (size_t)(fraction * (double)count);

	return sorted[place < count ? place : count - 1] * ns_per_cycle();
}

/* The fraction below which point `i` of a distribution stands: evenly up to one half, and from
 * there on each few points halve what is left, so that the tail is drawn as well as the middle. */
static double fraction_of_point(unsigned i)
{
	const unsigned half = POINTS / 4, per_halving = 3;
	double left = 0.5;

	if (i <= half)
		return 0.5 * i / half;
	for (unsigned step = half; step + per_halving <= i; step += per_halving)
		left /= 2;
	return 1 - left + left / 2 * ((i - half) % per_halving) / per_halving;
}

void peer_measure_latency(const struct peer_series *series,
			  void (*turn)(void *context, uint32_t *cycles, size_t count), size_t count)
{
	uint32_t *cycles = peer_memory(count, sizeof(*cycles));
	unsigned rejected = 0;
	double hops[2];

	fprintf(stderr, "%s %s: %s\n", series->job, series->name, series->series);
	ns_per_cycle();
	for (unsigned try = 0; try < SERIES_TRIES; try++) {
		long before;

		hops[0] = hop_ns();
		if (series->begin != NULL)
			series->begin(series->context);
		before = switches();
		turn(series->context, cycles, count);
		before = switches() - before;
		if (series->end != NULL)
			series->end(series->context);
		hops[1] = hop_ns();
		if (!hop_changed(hops) && before <= SWITCHES)
			break;
		if (try + 1 < SERIES_TRIES)
			rejected++;
	}
	qsort(cycles, count, sizeof(*cycles), ascending_cycles);
	begin_line("latency", series);
	printf(",\"p50\":%.1f,\"p99\":%.1f,\"p99_9\":%.1f,\"points\":[",
	       at_fraction(cycles, count, 0.5), at_fraction(cycles, count, 0.99),
	       at_fraction(cycles, count, 0.999));
	for (unsigned i = 0; i < POINTS; i++) {
		double fraction = fraction_of_point(i);

		printf("%s[%.1f,%.7f]", i == 0 ? "" : ",", at_fraction(cycles, count, fraction),
		       fraction);
	}
	printf("]");
	end_line(series, rejected, hops);
	free(cycles);
}

uint64_t peer_random(uint64_t *state)
{
	/* Marsaglia's xorshift, 13-7-17. */
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

uint64_t *peer_keys(size_t count, bool is_shuffled)
{
	uint64_t *keys = peer_memory(count, sizeof(*keys));
	uint64_t state = 0x9E3779B97F4A7C15u;

	for (size_t i = 0; i < count; i++)
		keys[i] = i;
	for (size_t i = count; is_shuffled && i > 1; i--) {
		size_t other = peer_random(&state) % i;
		uint64_t key = keys[i - 1];

		keys[i - 1] = keys[other];
		keys[other] = key;
	}
	return keys;
}

uint64_t *peer_random_keys(size_t count, uint64_t limit)
{
	uint64_t *keys = peer_memory(count, sizeof(*keys));
	uint64_t state = 99;

	for (size_t i = 0; i < count; i++)
		keys[i] = peer_random(&state) % limit;
	return keys;
}

void *peer_memory(size_t count, size_t bytes)
{
	const size_t huge = 2u << 20;
	size_t whole = (count * bytes + huge - 1) / huge * huge;
	void *memory = NULL;

	if (whole > huge) {
		peer_check(posix_memalign(&memory, huge, whole) == 0, "out of memory");
		/* Advice only: it may be ignored. */
		(void)madvise(memory, whole, MADV_HUGEPAGE);
	} else {
		whole = count * bytes;
		peer_check(posix_memalign(&memory, PEER_APART, whole) == 0, "out of memory");
	}
	memset(memory, 0, whole);
	return memory;
}

const char *peer_name(const char *format, ...)
{
	char *name = NULL;
	va_list values;

	va_start(values, format);
	peer_check(vasprintf(&name, format, values) >= 0, "out of memory");
	va_end(values);
	return name;
}
