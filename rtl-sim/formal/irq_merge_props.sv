// Nobody starves, of `rotate_pick` and `irq_merge`: who is picked wants something, one is picked at a
// time, each source is served after every other one at most once; its vector is what is shown, and
// stays until the wrapper takes it.
//
// Assumed of a source: it holds its request and its vector until it is taken.

module irq_merge_props #(
    parameter int unsigned SOURCES = 5
) (
    input logic clk,
    input logic rst_n,
    input logic [SOURCES-1:0] in_valid,
    input logic [SOURCES-1:0][3:0] in_vector,
    input logic irq_ready,
    input logic [2:0] any_source
);

  logic [SOURCES-1:0] in_ready;
  logic irq_valid;
  logic [3:0] irq_vector;
  irq_merge #(
      .SOURCES(SOURCES)
  ) u_dut (
      .clk, .rst_n, .in_valid, .in_ready, .in_vector, .irq_valid, .irq_ready, .irq_vector
  );

  logic is_begun = 1'b0;
  logic [2:0] source;
  always_ff @(posedge clk) begin
    is_begun <= 1'b1;
    if (!is_begun) source <= any_source;
  end

  logic waits, was_waiting, was_stalled, was_taken;
  logic [3:0] its_vector, was_vector, taken_vector;
  logic [2:0] served;  // others, while the symbolic source waited
  logic [2:0] distance;  // sources before it in turn
  assign waits = in_valid[source] && !in_ready[source];
  assign its_vector = in_vector[source];
  assign distance = source > u_dut.turn ? source - u_dut.turn - 3'd1
      : source + 3'(SOURCES) - u_dut.turn - 3'd1;
  always_ff @(posedge clk) begin
    was_waiting <= rst_n && waits;
    was_vector <= its_vector;
    was_stalled <= rst_n && irq_valid && !irq_ready;
    was_taken <= rst_n && in_ready != '0;
    if (in_ready[source]) taken_vector <= its_vector;
    else taken_vector <= irq_vector;
    if (!rst_n || !waits) served <= '0;
    else served <= served + 3'(in_ready != '0);
  end
  logic was_mine;
  always_ff @(posedge clk) was_mine <= rst_n && in_valid[source] && in_ready[source];

  always @(posedge clk) begin
    assume (is_begun || !rst_n);
    if (is_begun) assume (source < 3'(SOURCES));
    if (rst_n) begin
      if (was_waiting) assume (in_valid[source] && its_vector == was_vector);
      one_at_a_time: assert ($onehot0(in_ready) && (in_ready & ~in_valid) == '0);
      served_when_wanted: assert (in_valid == '0 || irq_valid || in_ready != '0);
      nobody_starves: assert (served < 3'(SOURCES));
      if (was_taken) is_shown: assert (irq_valid);
      if (was_mine) is_its_vector: assert (irq_vector == taken_vector);
      if (was_stalled) stays: assert (irq_valid && irq_vector == taken_vector);
      // Invariants.
      turns: assert (u_dut.turn < 3'(SOURCES));
      comes_nearer: assert (in_valid[source] ? 4'(served) + 4'(distance) < 4'(SOURCES)
          : served == '0);
    end
  end

endmodule : irq_merge_props
