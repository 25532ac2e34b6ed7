// Decides what becomes of each frame: it leaves, is dropped, or is held.
//
// From the resolver, in its order; to `egress`, to the pool (`hold`), to reachability. Newcomers that
// leave or are dropped go through one a clock; whatever touches the pool takes some clocks, while
// those behind it stand still.
//
//   in -> a (queue looked up) -> b (row comes) -> c (decided about) -> out
//
// A row tells of one queue how many frames it holds, and the walk of the pool that passed a frame of
// it over. So a newcomer goes behind what its path has waiting, and a held frame leaves only when no
// earlier one of its queue was left behind in this walk.
// Invariants: entries for the port come out in the order of the frames; a row is never read in a
// clock in which one is written.

module judge
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned PATHS = 4096,
    parameter int unsigned CONNECTIONS = 4096,
    parameter int unsigned TRANSMIT_RINGS = 2
) (
    input  logic                             clk,
    input  logic                             rst_n,
    input  logic                             clear,
    output logic                             is_clear,
    input  logic        [              31:0] cap_held_per_path,
    // Frames, each with its route.
    input  logic                             in_valid,
    output logic                             in_ready,
    input  route_t                           in_route,
    input  frame_t                           in_frame,
    // A frame was decided about; an entry for the port was made of it.
    output logic                             judged,
    output logic                             emitted,
    // Transmit rings: whether they are served and have a completion slot that is nobody's.
    input  logic        [TRANSMIT_RINGS-1:0] is_served,
    input  logic        [TRANSMIT_RINGS-1:0] has_room,
    // Nobody else takes a completion slot in this clock.
    output logic                             takes,
    output logic                             take_valid,
    output logic                             give_valid,
    output ring_no_t                         slot_ring,
    // The pool.
    input  logic                             pool_has_room,
    input  logic        [              15:0] walk,
    output logic                             order_valid,
    input  logic                             order_ready,
    output hold_order_e                      order,
    output index_t                           order_slot,
    output held_t                            order_frame,
    output queue_t                           order_key,
    // A held frame had to stay though it may leave: for want of a slot, or behind one that had none.
    output logic                             starve_valid,
    output logic                             starve_for_room,
    output ring_no_t                         starve_ring,
    // To the port.
    output logic                             out_valid,
    input  logic                             out_ready,
    output egress_t                          out_entry,
    // Payload of a held frame that leaves; asked for in the order of their entries.
    output logic                             pay_valid,
    input  logic                             pay_ready,
    output logic        [              63:0] pay_buffer,
    output length_t                          pay_bytes,
    // A frame leaves: reachability takes note. A connection has something held: so does the firmware.
    output logic                             reach_valid,
    output logic                             reach_has_stamp,
    output route_t                           reach_route,
    output logic                             held_valid,
    input  logic                             held_ready,
    output logic        [              63:0] held_handle,
    output logic                             count_held
);

  localparam int unsigned PLACE_BITS = $clog2(PATHS > CONNECTIONS ? PATHS : CONNECTIONS);
  localparam int unsigned ROWS = 2 << PLACE_BITS;
  typedef logic [PLACE_BITS:0] place_t;

  typedef struct packed {
    logic [15:0] walk;          // the last walk that passed a frame of the queue over
    logic [INDEX_BITS:0] count; // frames it holds
  } row_t;

  function automatic place_t place_of(input queue_t key);
    return {key.is_connection, key.index[PLACE_BITS-1:0]};
  endfunction

  typedef enum logic [2:0] {
    RUN,
    DECIDE,
    CARRY_OUT,
    MOVE_READ,
    MOVE_WRITE,
    EMIT,
    REPLAY
  } state_e;
  state_e state;

  // ---- the stages --------------------------------------------------------------------------------
  logic a_valid, b_valid, c_valid;
  route_t a_route, b_route, c_route;
  frame_t a_frame, b_frame, c_frame;
  logic b_is_whole, b_is_large, c_is_whole, c_is_large;
  logic c_is_empty, c_is_full, c_is_front;
  row_t b_row, c_row;
  logic goes;
  assign in_ready = goes;

  queue_t a_key, b_key, c_key;
  assign a_key = a_frame.is_retry ? a_frame.key : a_route.key;
  assign b_key = b_frame.is_retry ? b_frame.key : b_route.key;
  assign c_key = c_frame.is_retry ? c_frame.key : c_route.key;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      a_valid <= 1'b0;
      b_valid <= 1'b0;
      c_valid <= 1'b0;
    end else if (goes) begin
      a_valid <= in_valid;
      b_valid <= a_valid;
      c_valid <= b_valid;
    end else if (state == REPLAY) begin
      c_valid <= 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (goes) begin
      a_route <= in_route;
      a_frame <= in_frame;
      b_route <= a_route;
      b_frame <= a_frame;
      b_is_whole <= is_well_formed(a_frame.descriptor.bytes, a_frame.descriptor.flags);
      b_is_large <= a_frame.descriptor.bytes > 32'(a_route.mtu);
      c_route <= b_route;
      c_frame <= b_frame;
      c_is_whole <= b_is_whole;
      c_is_large <= b_is_large;
      c_row <= b_row;
      c_is_empty <= b_row.count == '0;
      c_is_full <= 32'(b_row.count) >= cap_held_per_path;
      c_is_front <= b_row.walk != walk;
    end
  end

  // ---- the rows ----------------------------------------------------------------------------------
  row_t rows[ROWS];
  logic walk_we;
  place_t walk_at;
  logic row_we;
  place_t row_write_at;
  row_t row_bits;
  logic row_read;
  place_t row_read_at;

  clear_walk #(
      .DEPTH(ROWS)
  ) u_clearing (
      .clk,
      .clear,
      .we(walk_we),
      .at(walk_at),
      .is_clear
  );

  always_ff @(posedge clk) begin
    if (walk_we || row_we) rows[walk_we ? walk_at : row_write_at] <= walk_we ? '0 : row_bits;
  end
  always_ff @(posedge clk) begin
    if (row_read) b_row <= rows[row_read_at];
  end

  // ---- what becomes of the frame in c ------------------------------------------------------------
  logic is_dropped;
  logic is_fast;
  logic is_ring_served;
  logic is_orphan;  // its ring was stopped before anything was decided
  logic [7:0] drop_status;
  always_comb begin
    is_dropped  = 1'b1;
    drop_status = TRANSMIT_STATUS_MALFORMED;
    if (!c_is_whole) drop_status = TRANSMIT_STATUS_MALFORMED;
    else if (c_route.verdict == VERDICT_STALE) drop_status = TRANSMIT_STATUS_STALE_HANDLE;
    else if (c_route.verdict == VERDICT_UPLOAD) drop_status = TRANSMIT_STATUS_UPLOAD_IN_PROGRESS;
    else if (c_is_large && (c_route.verdict == VERDICT_SEND || !c_frame.is_retry))
      drop_status = TRANSMIT_STATUS_PATH_MTU;
    else is_dropped = 1'b0;
  end
  assign is_ring_served = |(is_served & (TRANSMIT_RINGS'(1) << c_frame.ring));
  assign is_orphan = !c_frame.is_retry && !is_ring_served;
  assign is_fast = !c_frame.is_retry
      && (is_orphan || is_dropped || c_route.verdict == VERDICT_SEND && c_is_empty);

  logic may_emit;
  assign may_emit = !out_valid || out_ready;
  assign goes = state == RUN && (!c_valid || is_fast && may_emit);

  // ---- frames that touch the pool ----------------------------------------------------------------
  logic has_slot;
  logic moves;
  hold_order_e decided;
  logic has_order;
  logic has_entry;
  logic is_held;  // it is held, or stays so, because something is invalid
  fate_e fate;
  logic [7:0] status;
  assign takes = state == DECIDE && c_frame.is_retry;
  assign has_slot = |(has_room & (TRANSMIT_RINGS'(1) << c_frame.ring));
  assign take_valid = takes && is_ring_served && has_slot
      && (is_dropped || c_route.verdict == VERDICT_SEND && c_is_front);
  assign moves = decided == HOLD_KEEP && c_route.key != c_frame.key;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      state <= RUN;
      give_valid <= 1'b0;
      starve_valid <= 1'b0;
      held_valid <= 1'b0;
      count_held <= 1'b0;
      has_order <= 1'b0;
    end else begin
      give_valid <= 1'b0;
      starve_valid <= 1'b0;
      count_held <= 1'b0;
      if (held_ready) held_valid <= 1'b0;
      unique case (state)
        RUN: if (c_valid && !is_fast) state <= DECIDE;
        DECIDE: begin
          state <= CARRY_OUT;
          has_order <= 1'b1;
          has_entry <= 1'b1;
          is_held <= 1'b0;
          fate <= is_dropped ? FATE_DROP : FATE_LEAVE;
          status <= is_dropped ? drop_status : TRANSMIT_STATUS_LEFT;
          if (!c_frame.is_retry) begin
            decided <= HOLD_PUSH;
            is_held <= c_route.verdict == VERDICT_HOLD && c_route.is_invalid;
            fate <= FATE_FORGET;
            if (c_is_full || !pool_has_room) begin
              has_order <= 1'b0;
              is_held <= 1'b0;
              fate <= FATE_DROP;
              status <= TRANSMIT_STATUS_HOLD_FULL;
            end else begin
              give_valid <= 1'b1;
              count_held <= 1'b1;
            end
          end else if (!is_ring_served) begin
            // Nobody waits for its completion.
            decided   <= HOLD_REMOVE;
            has_entry <= 1'b0;
          end else if (!has_slot) begin
            decided <= HOLD_STAY;
            has_entry <= 1'b0;
            starve_valid <= 1'b1;
            starve_for_room <= 1'b1;
          end else if (c_route.verdict == VERDICT_HOLD) begin
            decided   <= HOLD_KEEP;
            has_entry <= 1'b0;
            is_held   <= c_route.is_invalid;
          end else if (!is_dropped && !c_is_front) begin
            // One before it had no completion slot when this walk came by.
            decided <= HOLD_STAY;
            has_entry <= 1'b0;
            starve_valid <= 1'b1;
            starve_for_room <= 1'b0;
          end else begin
            decided <= HOLD_REMOVE;
          end
        end
        CARRY_OUT: begin
          if (!has_order || order_ready) begin
            has_order <= 1'b0;
            held_valid <= is_held
                && c_frame.descriptor.handle[HANDLE_KIND_SHIFT+:2] == KIND_CONNECTION[1:0];
            state <= moves ? MOVE_READ : EMIT;
          end
        end
        MOVE_READ: state <= MOVE_WRITE;
        MOVE_WRITE: state <= EMIT;
        EMIT: begin
          if ((!has_entry || may_emit && (!pay_valid || pay_ready)) && (!held_valid || held_ready))
            state <= REPLAY;
        end
        default: state <= RUN;  // REPLAY
      endcase
    end
  end

  assign slot_ring   = c_frame.ring;
  assign starve_ring = c_frame.ring;
  assign held_handle = c_frame.descriptor.handle;
  assign order_valid = has_order && state == CARRY_OUT;
  assign order       = decided;
  assign order_slot  = c_frame.slot;
  assign order_key   = decided == HOLD_STAY ? c_frame.key : c_route.key;
  assign order_frame = '{
      descriptor: c_frame.descriptor,
      ring: c_frame.ring,
      key: c_key,
      settled_by: c_frame.settled_by
  };

  always_comb begin
    row_we = 1'b0;
    row_write_at = place_of(c_key);
    row_bits = c_row;
    row_read = goes || state == MOVE_READ || state == REPLAY;
    row_read_at = place_of(a_key);
    if (state == MOVE_READ) row_read_at = place_of(c_route.key);
    else if (state == REPLAY) row_read_at = place_of(b_key);
    if (state == CARRY_OUT) begin
      row_we = has_order;
      unique case (decided)
        HOLD_PUSH: row_bits.count = c_row.count + 1'b1;
        HOLD_REMOVE: row_bits.count = c_row.count - 1'b1;
        HOLD_KEEP: begin
          if (moves) row_bits.count = c_row.count - 1'b1;
          else row_bits.walk = walk;
        end
        default: row_bits.walk = walk;
      endcase
    end else if (state == MOVE_WRITE) begin
      row_we = 1'b1;
      row_write_at = place_of(c_route.key);
      row_bits = '{walk: walk, count: b_row.count + 1'b1};
    end
  end

  // ---- to the port -------------------------------------------------------------------------------
  logic emits;
  fate_e emit_fate;
  logic [7:0] emit_status;
  logic is_finished;
  assign emits = may_emit && (state == RUN && c_valid && is_fast
      || state == EMIT && has_entry && (!pay_valid || pay_ready) && (!held_valid || held_ready));
  assign emit_fate = state == EMIT ? fate
      : is_orphan ? FATE_FORGET : is_dropped ? FATE_DROP : FATE_LEAVE;
  assign emit_status = state == EMIT ? status : is_dropped ? drop_status : TRANSMIT_STATUS_LEFT;
  assign is_finished = emits || state == EMIT && !has_entry && (!held_valid || held_ready);

  assign pay_valid  = state == EMIT && c_frame.is_retry && has_entry && fate == FATE_LEAVE
      && may_emit && (!held_valid || held_ready);
  assign pay_buffer = c_frame.descriptor.buffer;
  assign pay_bytes  = c_frame.descriptor.bytes[LENGTH_BITS-1:0];

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      out_valid <= 1'b0;
      judged <= 1'b0;
      emitted <= 1'b0;
      reach_valid <= 1'b0;
    end else begin
      out_valid <= emits || out_valid && !out_ready;
      judged <= is_finished;
      emitted <= emits;
      reach_valid <= emits && emit_fate == FATE_LEAVE;
    end
  end

  always_ff @(posedge clk) begin
    if (emits) begin
      out_entry.fate <= emit_fate;
      out_entry.is_retry <= c_frame.is_retry;
      out_entry.has_payload <= !c_frame.is_retry || emit_fate == FATE_LEAVE;
      out_entry.ring <= c_frame.ring;
      out_entry.tag <= c_frame.descriptor.tag;
      out_entry.status <= emit_status;
      out_entry.bytes <= c_frame.descriptor.bytes[LENGTH_BITS-1:0];
      out_entry.offset <= c_frame.descriptor.buffer[5:0];
      out_entry.header <= c_route.header;
      out_entry.is_tagged <= c_route.is_tagged;
      reach_route <= c_route;
      reach_has_stamp <= |(c_frame.descriptor.flags & TRANSMIT_FLAG_PROGRESS);
    end
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n && !clear) begin
      assert (!(row_we && row_read))
      else $error("a row is read while one is written");
      assert (!(order_valid && order == HOLD_REMOVE && c_row.count == '0))
      else $error("a frame leaves a queue that holds none");
    end
  end
`endif

endmodule : judge
