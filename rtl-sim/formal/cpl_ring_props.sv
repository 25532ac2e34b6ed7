// The completion ring is never overrun, of `cpl_ring`: entries that were issued, less those that the
// host has said it reaped, are at most as many as the ring has, whatever it says; a position that makes
// no sense is told two clocks later; phase, slot and line of an entry are those of its position; a
// vector follows an entry that was answered, and stays until it is taken.
//
// The engine in front is left out: it takes an entry when there is one by `used`, which is a clock
// old, and the position makes sense. What the host has reaped is the furthest position that it ever
// told and that made sense then; a later one, further back, takes nothing back.
// Assumed: a ring is started once between two resets; an answer is for an entry that was issued.

module cpl_ring_props
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
#(
    parameter int unsigned LOG2_MOST = 4  // binary logarithm of the largest ring
) (
    input logic clk,
    input logic rst_n,
    input logic start,
    input line_t base,
    input logic [4:0] log2,
    input logic [31:0] ring_vector,
    input logic [31:0] moderation_cycles,
    input logic is_on,
    input logic [31:0] reaped,
    input logic wants,
    input logic post,
    input logic irq_ready
);

  logic [31:0] used, issued, posted;
  logic is_reaped_sane, phase, irq_valid, take;
  line_t slot_line;
  logic [1:0] slot_quarter;
  logic [3:0] irq_vector;

  cpl_ring u_dut (
      .clk, .rst_n, .start, .base, .log2, .ring_vector, .moderation_cycles, .is_on, .reaped, .used,
      .is_reaped_sane, .take, .slot_line, .slot_quarter, .phase, .issued, .post, .posted,
      .irq_valid, .irq_ready, .irq_vector
  );

  logic is_begun = 1'b0;
  logic is_started;
  logic [4:0] size_log2;
  logic [31:0] size, host_used;
  line_t first;
  always_ff @(posedge clk) begin
    is_begun <= 1'b1;
    if (!rst_n) begin
      is_started <= 1'b0;
      size_log2 <= '0;
    end else if (start) begin
      is_started <= 1'b1;
      size_log2 <= log2;
      first <= base;
    end
  end
  assign size = 32'd1 << size_log2;
  assign host_used = issued - reaped;

  // The engine, and the host.
  logic took, is_nonsense, was_nonsense, was_nonsense_before;
  logic [31:0] furthest;  // that was reaped
  assign take = wants && is_started && is_reaped_sane && used < size - 32'(took);
  assign is_nonsense = host_used > size;
  always_ff @(posedge clk) begin
    took <= rst_n && !start && take;
    was_nonsense <= rst_n && is_started && is_nonsense;
    was_nonsense_before <= rst_n && was_nonsense;
    if (!rst_n || start) furthest <= '0;
    else if (!is_nonsense && host_used < issued - furthest) furthest <= reaped;
  end

  logic was_stalled;
  logic [3:0] was_vector;
  always_ff @(posedge clk) begin
    was_stalled <= rst_n && !start && irq_valid && !irq_ready;
    was_vector <= irq_vector;
  end

  always @(posedge clk) begin
    assume (is_begun || !rst_n);
    if (rst_n) begin
      assume (!start || !is_started && log2 >= 5'($clog2(LIMIT_RING_SLOTS_MIN))
          && log2 <= 5'(LOG2_MOST) && !post);
      assume (!post || posted != issued);
      assume (is_started || !post);
      if (is_started) begin
        never_overrun: assert (issued - furthest <= size);
        if (was_nonsense_before) nonsense_is_told: assert (!is_reaped_sane);
        if (was_nonsense) nonsense_stops: assert (!take);
        slot_is_right: assert (slot_line == first + 58'(slot_of(issued, size_log2) >> 2)
            && slot_quarter == 2'(slot_of(issued, size_log2)));
        phase_is_right: assert (phase == phase_of(issued, size_log2));
      end
      // Invariants.
      if (is_started) follows: assert (u_dut.size_log2 == size_log2 && u_dut.first_line == first
          && 32'(u_dut.last_slot) == size - 32'd1 && size_log2 >= 5'd1
          && size_log2 <= 5'(LOG2_MOST) && 32'(u_dut.slot) == slot_of(issued, size_log2));
      else waits: assert (!took && issued == '0 && posted == '0);
      if (was_stalled) irq_stays: assert (irq_valid && irq_vector == was_vector);
    end
  end

endmodule : cpl_ring_props
