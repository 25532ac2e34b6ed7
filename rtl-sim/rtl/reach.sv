// Takes note of frames that leave: credits their neighbor with progress, tells when it is stale.
//
// Beside the way of the frames, from `judge`; it holds nothing back: a stale neighbor is used on.
// What the stamps say stands in the route; here the card's own credit is read and written. A credit
// is written when its frame comes, so the frames behind it see it.
// Invariant: every frame with a stamp is counted, as credited or as stale progress.

module reach
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned NEIGHBORS = 256
) (
    input  logic              clk,
    input  logic              rst_n,
    input  logic              clear,
    output logic              is_clear,
    input  logic       [31:0] now_ms,
    input  logic       [31:0] stale_ms,
    input  logic              in_valid,
    input  logic              in_has_stamp,
    input  route_t            in_route,
    output logic              stale_valid,
    output index_t            stale_neighbor,
    output logic       [31:0] stale_generation,
    output logic              count_credited,
    output logic              count_stale,
    input  logic              age_req,
    input  tbl_index_t        age_index,
    input  tbl_field_t        age_field,
    output logic       [31:0] age_data
);

  logic [31:0] now;
  logic [31:0] edge_ms;
  always_ff @(posedge clk) begin
    now     <= now_ms;
    edge_ms <= now_ms - stale_ms;
  end

  logic is_credit;
  assign is_credit = in_valid && in_has_stamp && in_route.is_progress;

  logic [31:0] generation2;
  logic [31:0] confirmed2;
  tbl_age #(
      .NEIGHBORS(NEIGHBORS)
  ) u_ages (
      .clk,
      .clear,
      .is_clear,
      .we(is_credit),
      .write_index(in_route.neighbor),
      .write_generation(in_route.generation),
      .write_confirmed(now),
      .read_index(in_route.neighbor),
      .read_generation(generation2),
      .read_confirmed(confirmed2),
      .age_req,
      .age_index,
      .age_field,
      .age_data
  );

  // What is left to ask two clocks later: is the card's own confirmation old, too?
  typedef struct packed {
    logic may_be_stale;
    logic is_card_old;
    index_t neighbor;
    logic [31:0] generation;
  } asked_t;
  asked_t asked0, asked1, asked2, asked3;
  always_comb begin
    asked0.may_be_stale = in_valid && !is_credit && in_route.is_host_old;
    asked0.is_card_old  = in_route.is_card_old;
    asked0.neighbor     = in_route.neighbor;
    asked0.generation   = in_route.generation;
  end

  logic is_same3;
  logic is_credit_old3;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      asked1 <= '0;
      asked2 <= '0;
      asked3 <= '0;
      is_same3 <= 1'b0;
      is_credit_old3 <= 1'b0;
      count_credited <= 1'b0;
      count_stale <= 1'b0;
    end else begin
      asked1 <= asked0;
      asked2 <= asked1;
      asked3 <= asked2;
      is_same3 <= generation2 == asked2.generation;
      is_credit_old3 <= is_old(confirmed2, now, edge_ms);
      count_credited <= is_credit;
      count_stale <= in_valid && in_has_stamp && !in_route.is_progress;
    end
  end

  assign stale_valid = asked3.may_be_stale && (is_same3 ? is_credit_old3 : asked3.is_card_old);
  assign stale_neighbor = asked3.neighbor;
  assign stale_generation = asked3.generation;

endmodule : reach
