// The pool of frames that wait: descriptors in the order in which they came.
//
// Between `judge`, which puts frames in and decides about them, and the resolver, which looks at them
// again. Payload stays in host memory. Which queue a frame waits in is the judge's matter; here is one
// order over all.
//
//            push                         keep, stay
//   judge ────────► here ──► (a pass) ──► resolver, judge ────────► passed     remove: the slot is free
//                    ▲                                               │
//                    └───────────── end of the pass, new epoch ──────┘
//
// A pass walks all frames once, oldest first. `here` are those that it has not looked at, `passed`
// those that it left; at its end the two change places, and at a new epoch `passed` comes before
// `here`, so the order of arrival stays. Newcomers go behind `here`, whatever is under way.
// A frame is settled once a pass of the newest epoch has looked at it; `settled` counts them a ring.
// Invariants: a frame is in one of the two lists or under way; while an epoch is being announced
// none is under way.

module hold
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned HELD = 4096,
    parameter int unsigned TRANSMIT_RINGS = 2,
    // Held frames are looked at again after this time even when no epoch was raised, in ms.
    parameter int unsigned RESCAN_MS = 100
) (
    input  logic                            clk,
    input  logic                            rst_n,
    input  logic        [             31:0] cap_held_total,
    input  logic        [             31:0] now_ms,
    // Orders of the judge.
    input  logic                            order_valid,
    output logic                            order_ready,
    input  hold_order_e                     order,
    input  index_t                          order_slot,
    input  held_t                           order_frame,
    input  queue_t                          order_key,
    input  logic                            starve_valid,
    input  logic                            starve_for_room,
    input  ring_no_t                        starve_ring,
    input  logic       [TRANSMIT_RINGS-1:0] has_room,
    // Frames of the pass, on their way to the resolver.
    output logic                            retry_valid,
    input  logic                            retry_ready,
    output frame_t                          retry,
    // The fence: no new retries while `pause`; none is under way when `is_still`. `unsettle` while
    // still: an epoch is announced in the clock of `unsettled`.
    input  logic                            pause,
    output logic                            is_still,
    input  logic                            unsettle,
    output logic                            unsettled,
    // What the judge and the host see.
    output logic                            has_place,
    output logic       [              15:0] walk,
    output logic       [              31:0] len,
    output logic [TRANSMIT_RINGS-1:0][31:0] settled,
    // Rings whose newcomers let held frames go first.
    output logic       [TRANSMIT_RINGS-1:0] hungry
);

  localparam int unsigned AT_BITS = $clog2(HELD);
  typedef logic [AT_BITS-1:0] at_t;
  typedef logic [AT_BITS:0] count_t;

  typedef struct packed {
    at_t first;
    at_t last;
    count_t count;
  } list_t;

  typedef enum logic [2:0] {
    IDLE,
    ORDER,
    TAKE_READ,
    TAKE_COMES,
    TAKE,
    FREE_READ,
    FREE_COMES,
    FREE_TAKE
  } state_e;
  state_e state;

  list_t here, passed;
  logic in_pass;
  logic [AT_BITS:0] under_way;
  count_t held;
  count_t unused;  // slots from this one on have never been in use
  at_t free_first;
  count_t free_count;
  logic has_spare;
  at_t spare;
  logic [31:0] pass;
  logic [31:0] last_pass_ms;
  logic [TRANSMIT_RINGS-1:0] starved, starved_for_room;

  count_t [TRANSMIT_RINGS-1:0] settled_count;

  assign len = 32'(held);
  assign is_still = under_way == '0 && state == IDLE && !retry_valid;

  always_comb begin
    for (int unsigned ring = 0; ring < TRANSMIT_RINGS; ring++)
      settled[ring] = 32'(settled_count[ring]);
  end

  // ---- the two memories --------------------------------------------------------------------------
  logic row_we;
  at_t row_at;
  held_t row_bits;
  held_t row_read;
  at_t read_at;
  logic link_we;
  at_t link_at;
  at_t link_bits;
  at_t link_read;

  ram_fwd #(
      .WIDTH($bits(held_t)),
      .DEPTH(HELD)
  ) u_rows (
      .clk,
      .we(row_we),
      .write_at(row_at),
      .write_bits(row_bits),
      .read_at,
      .read_bits(row_read)
  );
  ram_fwd #(
      .WIDTH(AT_BITS),
      .DEPTH(HELD)
  ) u_links (
      .clk,
      .we(link_we),
      .write_at(link_at),
      .write_bits(link_bits),
      .read_at,
      .read_bits(link_read)
  );

  // ---- an order, taken ---------------------------------------------------------------------------
  hold_order_e now_order;
  at_t now_slot;
  held_t now_frame;
  queue_t now_key;
  at_t push_slot;
  logic is_settled;  // by the pass of the newest epoch
  logic is_ordered;
  // A newcomer may have to wait for a slot that was freed a moment ago.
  assign order_ready = state == IDLE && !unsettle
      && (order != HOLD_PUSH || has_spare || !unused[AT_BITS]);
  assign is_ordered = order_valid && order_ready;
  assign push_slot = has_spare ? spare : unused[AT_BITS-1:0];
  assign is_settled = now_frame.settled_by == pass;

  always_ff @(posedge clk) begin
    if (is_ordered) begin
      now_order <= order;
      now_slot  <= order == HOLD_PUSH ? push_slot : order_slot[AT_BITS-1:0];
      now_frame <= order_frame;
      now_key   <= order_key;
    end
  end

  // What an order or an epoch does to the memories.
  logic joins_lists;
  assign joins_lists = unsettle && !unsettled && passed.count != '0 && here.count != '0;
  always_comb begin
    row_we = state == ORDER && (now_order == HOLD_PUSH || now_order == HOLD_KEEP);
    row_at = now_slot;
    row_bits = now_frame;
    row_bits.key = now_key;
    row_bits.settled_by = now_order == HOLD_PUSH && in_pass ? pass - 32'd1 : pass;
    link_we = 1'b0;
    link_at = here.last;
    link_bits = now_slot;
    if (state == ORDER) begin
      unique case (now_order)
        HOLD_PUSH: link_we = here.count != '0;
        HOLD_REMOVE: begin
          link_we = 1'b1;
          link_at = now_slot;
          link_bits = free_first;
        end
        default: begin
          link_we = passed.count != '0;
          link_at = passed.last;
        end
      endcase
    end else if (state == IDLE && joins_lists) begin
      link_we = 1'b1;
      link_at = passed.last;
      link_bits = here.first;
    end
    read_at = state == FREE_READ ? free_first : here.first;
  end

  // ---- when a pass begins ------------------------------------------------------------------------
  logic [31:0] since_ms;
  logic is_rescan_due;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      since_ms <= '0;
      is_rescan_due <= 1'b0;
    end else begin
      since_ms <= now_ms - last_pass_ms;
      is_rescan_due <= !in_pass && held != '0
          && (since_ms >= RESCAN_MS || |(starved & has_room));
    end
  end

  // ---- the lists ---------------------------------------------------------------------------------
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      state <= IDLE;
      here <= '0;
      passed <= '0;
      in_pass <= 1'b0;
      under_way <= '0;
      held <= '0;
      unused <= '0;
      free_first <= '0;
      free_count <= '0;
      has_spare <= 1'b0;
      spare <= '0;
      pass <= 32'd1;
      walk <= 16'd1;
      last_pass_ms <= '0;
      retry_valid <= 1'b0;
      unsettled <= 1'b0;
      has_place <= 1'b0;
      settled_count <= '0;
      starved <= '0;
      starved_for_room <= '0;
      hungry <= '0;
    end else begin
      unsettled <= 1'b0;
      has_place <= 32'(held) < cap_held_total;
      if (retry_valid && retry_ready) retry_valid <= 1'b0;
      for (int unsigned ring = 0; ring < TRANSMIT_RINGS; ring++) begin
        if (starve_valid && starve_ring == 3'(ring)) begin
          starved[ring] <= 1'b1;
          if (starve_for_room) begin
            starved_for_room[ring] <= 1'b1;
            hungry[ring] <= 1'b1;
          end
        end
      end

      unique case (state)
        IDLE: begin
          if (unsettle && !unsettled) begin
            // Nothing is under way: what was passed comes before the rest, and all begins anew.
            here.first <= passed.count != '0 ? passed.first : here.first;
            here.last <= here.count != '0 ? here.last : passed.last;
            here.count <= here.count + passed.count;
            passed <= '0;
            settled_count <= '0;
            pass <= pass + 32'd1;
            walk <= walk + 16'd1;
            in_pass <= held != '0;
            last_pass_ms <= now_ms;
            starved <= '0;
            starved_for_room <= '0;
            unsettled <= 1'b1;
          end else if (is_ordered) begin
            state <= ORDER;
            if (order == HOLD_PUSH) begin
              if (has_spare) has_spare <= 1'b0;
              else unused <= unused + 1'b1;
            end
          end else if (!has_spare && free_count != '0) begin
            state <= FREE_READ;
          end else if (in_pass && here.count != '0 && !pause && !retry_valid) begin
            state <= TAKE_READ;
          end else if (in_pass && here.count == '0 && under_way == '0 && !pause) begin
            in_pass <= 1'b0;
            here <= passed;
            passed <= '0;
            // Who found room in this pass, or nothing to send, need not go first any more.
            hungry <= starved_for_room;
          end else if (is_rescan_due && !in_pass && !pause) begin
            in_pass <= 1'b1;
            walk <= walk + 16'd1;
            last_pass_ms <= now_ms;
            starved <= '0;
            starved_for_room <= '0;
          end
        end

        ORDER: begin
          state <= IDLE;
          if (now_order == HOLD_PUSH) begin
            held <= held + 1'b1;
            here.last <= now_slot;
            here.count <= here.count + 1'b1;
            if (here.count == '0) here.first <= now_slot;
          end else begin
            under_way <= under_way - 1'b1;
            if (now_order == HOLD_REMOVE) begin
              held <= held - 1'b1;
              free_first <= now_slot;
              free_count <= free_count + 1'b1;
            end else begin
              passed.last  <= now_slot;
              passed.count <= passed.count + 1'b1;
              if (passed.count == '0) passed.first <= now_slot;
            end
          end
          for (int unsigned ring = 0; ring < TRANSMIT_RINGS; ring++) begin
            if (now_frame.ring == 3'(ring)) begin
              if (now_order == HOLD_PUSH && !in_pass || now_order == HOLD_KEEP && !is_settled)
                settled_count[ring] <= settled_count[ring] + 1'b1;
              if (now_order == HOLD_REMOVE) begin
                if (is_settled) settled_count[ring] <= settled_count[ring] - 1'b1;
                hungry[ring] <= 1'b0;
              end
            end
          end
        end

        TAKE_READ: state <= TAKE_COMES;
        TAKE_COMES: state <= TAKE;
        TAKE: begin
          state <= IDLE;
          retry_valid <= 1'b1;
          retry.descriptor <= row_read.descriptor;
          retry.ring <= row_read.ring;
          retry.is_retry <= 1'b1;
          retry.slot <= INDEX_BITS'(here.first);
          retry.key <= row_read.key;
          retry.settled_by <= row_read.settled_by;
          here.first <= link_read;
          here.count <= here.count - 1'b1;
          under_way <= under_way + 1'b1;
        end

        FREE_READ: state <= FREE_COMES;
        FREE_COMES: state <= FREE_TAKE;
        default: begin  // FREE_TAKE
          state <= IDLE;
          has_spare <= 1'b1;
          spare <= free_first;
          free_first <= link_read;
          free_count <= free_count - 1'b1;
        end
      endcase
    end
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      assert (here.count + passed.count + under_way == held)
      else $error("a held frame is nowhere, or twice");
      assert (!(is_ordered && order == HOLD_PUSH) || has_spare || !unused[AT_BITS])
      else $error("a frame is held for which there is no slot");
      assert (!unsettle || under_way == '0)
      else $error("an epoch is announced while a held frame is under way");
    end
  end
`endif

endmodule : hold
