// Lets newcomers in: takes descriptors of the rings in turn, has their payload read, lines them up.
//
// From `tx_fetch`, to `look_up`, which gets a frame once its payload is here. With a frame goes a
// completion slot of its ring, so whatever becomes of it can be told; it is given back if the frame
// is held.
//
//   pick -> (two clocks) -> landing -> payload asked for -> fresh frames, in that order -> look_up
//
// Invariant: a frame in the line has its payload asked for, and a completion slot.

module tx_admit
  import offload_abi_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned TRANSMIT_RINGS = 2,
    parameter int unsigned FRAMES_LOG2 = 6,
    localparam int unsigned RING_BITS = TRANSMIT_RINGS > 1 ? $clog2(TRANSMIT_RINGS) : 1
) (
    input  logic                                  clk,
    input  logic                                  rst_n,
    input  logic                                  is_ready,
    input  logic             [TRANSMIT_RINGS-1:0] has_descriptor,
    // Completion slots: those that are nobody's; `is_taken` in a clock in which the judge may take one.
    input  logic             [TRANSMIT_RINGS-1:0] has_room,
    input  logic                                  is_taken,
    // Rings whose held frames go first.
    input  logic             [TRANSMIT_RINGS-1:0] hungry,
    output logic                                  take,
    output logic             [     RING_BITS-1:0] take_ring,
    input  transmit_descriptor_t                  descriptor,
    output logic                                  pay_valid,
    input  logic                                  pay_ready,
    output logic             [              63:0] pay_buffer,
    output length_t                               pay_bytes,
    output logic                                  pay_is_void,
    input  logic                                  arrived,
    output logic                                  fresh_valid,
    input  logic                                  fresh_ready,
    output frame_t                                fresh
);

  localparam int unsigned LANDING_LOG2 = 2;
  typedef logic [RING_BITS-1:0] ring_t;

  // ---- the pick ----------------------------------------------------------------------------------
  logic [TRANSMIT_RINGS-1:0] wants;
  logic any;
  ring_t which;
  ring_t turn;
  logic [LANDING_LOG2:0] promised;  // landed, or on the way there
  logic is_landed;
  logic lands_off;
  ring_t ring1;
  ring_t ring2;
  logic has1;
  logic has2;

  assign wants = has_descriptor & has_room & ~hungry;
  rotate_pick #(
      .N(TRANSMIT_RINGS)
  ) u_pick (
      .wants,
      .turn,
      .any,
      .which
  );
  assign take = any && is_ready && !is_taken && !promised[LANDING_LOG2];
  assign take_ring = which;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      turn <= '0;
      promised <= '0;
      has1 <= 1'b0;
      has2 <= 1'b0;
      ring1 <= '0;
      ring2 <= '0;
    end else begin
      if (take) turn <= which;
      promised <= promised + (LANDING_LOG2 + 1)'(take) - (LANDING_LOG2 + 1)'(lands_off);
      has1  <= take;
      ring1 <= which;
      has2  <= has1;
      ring2 <= ring1;
    end
  end

  // ---- landing -----------------------------------------------------------------------------------
  transmit_descriptor_t landed;
  ring_t landed_ring;
  logic landing_has_place;
  logic line_has_place;
  stream_fifo #(
      .WIDTH(RING_BITS + $bits(transmit_descriptor_t)),
      .DEPTH_LOG2(LANDING_LOG2)
  ) u_landing (
      .clk,
      .rst_n,
      .in_valid(has2),
      .in_ready(landing_has_place),
      .in_bits({ring2, descriptor}),
      .out_valid(is_landed),
      .out_ready(lands_off),
      .out_bits({landed_ring, landed})
  );

  assign lands_off = is_landed && pay_ready && line_has_place;
  assign pay_valid = is_landed && line_has_place;
  assign pay_buffer = landed.buffer;
  assign pay_bytes = landed.bytes[LENGTH_BITS-1:0];
  assign pay_is_void = !is_well_formed(landed.bytes, landed.flags);

  // ---- the line of fresh frames ------------------------------------------------------------------
  transmit_descriptor_t first;
  ring_t first_ring;
  logic line_valid;
  logic line_goes;
  logic [FRAMES_LOG2:0] at_hand;
  stream_fifo #(
      .WIDTH(RING_BITS + $bits(transmit_descriptor_t)),
      .DEPTH_LOG2(FRAMES_LOG2)
  ) u_line (
      .clk,
      .rst_n,
      .in_valid(lands_off),
      .in_ready(line_has_place),
      .in_bits({landed_ring, landed}),
      .out_valid(line_valid),
      .out_ready(line_goes),
      .out_bits({first_ring, first})
  );

  assign fresh_valid = line_valid && at_hand != '0;
  assign line_goes = fresh_valid && fresh_ready;
  always_comb begin
    fresh = '0;
    fresh.descriptor = first;
    fresh.ring = 3'(first_ring);
  end

  always_ff @(posedge clk) begin
    if (!rst_n) at_hand <= '0;
    else
      at_hand <= at_hand + (FRAMES_LOG2 + 1)'(arrived) - (FRAMES_LOG2 + 1)'(line_goes);
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      assert (!has2 || landing_has_place)
      else $error("a descriptor has no place to land");
      assert (at_hand == '0 || line_valid)
      else $error("payload of no frame has arrived");
    end
  end
`endif

endmodule : tx_admit
