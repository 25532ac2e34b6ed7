// The pool keeps order and loses nothing, of `hold`: in each walk a frame is looked at again only when
// every older one that is still held was; no frame is in two places, none is lost, no count is negative.
//
// The judge is left out: it decides about frames in the order in which they came to it, each to be
// kept, passed over or removed, and brings newcomers whenever the pool has a place; the fence
// announces epochs while the pool is still. Two symbolic frames, an older and a newer one, stand for all.

module hold_props
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned HELD = 4
) (
    input logic clk,
    input logic rst_n,
    input logic [31:0] now_ms,
    input logic order_valid,
    input hold_order_e order,
    input logic any_ring,
    input logic starve_valid,
    input logic has_room,
    input logic retry_ready,
    input logic pause,
    input logic unsettle,
    input logic any_old,
    input logic any_new
);

  localparam int unsigned AtBits = $clog2(HELD);
  typedef logic [AtBits-1:0] at_t;
  logic order_ready, retry_valid, is_still, unsettled, has_place;
  logic [15:0] walk;
  logic [31:0] len;
  logic [1:0][31:0] settled;
  frame_t retry;
  held_t order_frame;
  index_t order_slot;
  // ---- the judge: frames that it has to decide about, oldest first ------------------------------
  logic [HELD-1:0][AtBits-1:0] slots;
  logic [HELD-1:0][2:0] rings;
  logic [HELD-1:0][31:0] stamps;
  logic [AtBits:0] waiting;
  logic comes, goes, is_push;
  always_comb begin
    order_frame = '0;
    order_frame.ring = ring_no_t'(any_ring);
    if (order != HOLD_PUSH) begin
      order_frame.ring = rings[0];
      order_frame.settled_by = stamps[0];
    end
  end
  assign order_slot = index_t'(slots[0]);
  assign is_push = order == HOLD_PUSH;

  hold #(
      .HELD(HELD), .TRANSMIT_RINGS(2)
  ) u_dut (
      .clk, .rst_n, .cap_held_total(HELD), .now_ms, .order_valid, .order_ready, .order, .order_slot,
      .order_frame, .order_key('0), .starve_valid, .starve_for_room(1'b0), .starve_ring('0),
      .has_room({2{has_room}}), .retry_valid, .retry_ready, .retry, .pause, .is_still, .unsettle,
      .unsettled, .has_place, .walk, .len, .settled, .hungry()
  );

  assign comes = retry_valid && retry_ready;
  assign goes = order_valid && order_ready && !is_push;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      waiting <= '0;
    end else begin
      waiting <= waiting + (AtBits + 1)'(comes) - (AtBits + 1)'(goes);
      if (goes) begin
        slots <= slots >> AtBits;
        rings <= rings >> 3;
        stamps <= stamps >> 32;
      end
      if (comes) begin
        slots[at_t'(waiting - (AtBits + 1)'(goes))] <= retry.slot[AtBits-1:0];
        rings[at_t'(waiting - (AtBits + 1)'(goes))] <= retry.ring;
        stamps[at_t'(waiting - (AtBits + 1)'(goes))] <= retry.settled_by;
      end
    end
  end

  // ---- an older and a newer frame: where they are, and whether this walk has looked at them -----
  logic is_old, is_new, was_old_seen, is_begun, was_pushed;
  at_t old_slot, new_slot, pushed_slot;
  logic [15:0] seen_walk, was_walk;
  logic pushes, follows_old, follows_new;
  assign pushes = order_valid && order_ready && is_push;
  assign pushed_slot = u_dut.push_slot;
  assign follows_old = pushes && any_old && !is_old && !is_new;
  assign follows_new = pushes && any_new && is_old && !is_new;
  assign was_old_seen = seen_walk == walk;
  logic begun = 1'b0;
  assign is_begun = begun;
  always_ff @(posedge clk) begin
    begun <= 1'b1;
    was_walk <= rst_n ? walk : 16'd1;
    if (!rst_n) begin
      is_old <= 1'b0;
      is_new <= 1'b0;
      seen_walk <= '0;
    end else begin
      if (follows_old) begin
        is_old <= 1'b1;
        old_slot <= pushed_slot;
        seen_walk <= walk - 16'd1;
      end
      if (follows_new) begin
        is_new <= 1'b1;
        new_slot <= pushed_slot;
      end
      if (comes && is_old && retry.slot[AtBits-1:0] == old_slot) seen_walk <= walk;
      if (goes && order == HOLD_REMOVE) begin
        if (is_old && slots[0] == old_slot) is_old <= 1'b0;
        if (is_new && slots[0] == new_slot) is_new <= 1'b0;
      end
    end
  end

  always @(posedge clk) begin
    assume (is_begun || !rst_n);
    if (rst_n) begin
      assume (!order_valid || (is_push ? len < 32'(HELD) && has_place : waiting != '0));
      assume (!unsettle || is_still && pause && waiting == '0 || u_dut.unsettled);
      assume (!order_valid || !unsettle);
      old_first: assert (!(comes && is_old && is_new && retry.slot[AtBits-1:0] == new_slot)
          || was_old_seen);
      as_many: assert (len <= 32'(HELD) && u_dut.here.count <= (AtBits + 1)'(HELD)
          && u_dut.passed.count <= (AtBits + 1)'(HELD));
      settled_are_held: assert (settled[0] + settled[1] <= len);
      walks_begin_still: assert (walk == was_walk || waiting == '0);
      none_twice: assert (!(comes && waiting != '0 && slots[0] == retry.slot[AtBits-1:0]));
    end
  end

endmodule : hold_props
