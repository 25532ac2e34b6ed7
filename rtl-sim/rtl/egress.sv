// Sends what the judge has decided: frames across the port, in order, and tells what became of each.
//
// From `judge`, over `framer` to the port; outcomes to `tx_cpl`. A frame starts when its payload is
// here; one whose payload could not be read is dropped for that.
//
//   entries -> numbers -> steps, a line each -> framer -> port
//                  └───────► departing, in order ◄─ crossed ──► outcome, counts, fence
//
// Invariants: outcomes come in the order of the entries, and that of a frame that leaves only when its
// last beat was taken; so `settled` counts what is behind every queue of the card.

module egress
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned ENTRIES_LOG2 = 5
) (
    input  logic               clk,
    input  logic               rst_n,
    input  logic               is_ready,
    input  logic               in_valid,
    output logic               in_ready,
    input  egress_t            in_entry,
    // The payload buffers: oldest frame of each.
    input  logic               fresh_valid,
    input  logic               fresh_is_bad,
    input  line_count_t        fresh_lines,
    output logic               fresh_taken,    // it is the next frame's turn
    output logic               fresh_skipped,  // and this one's lines are not read
    output logic               fresh_read,
    input  logic               held_valid,
    input  logic               held_is_bad,
    input  line_count_t        held_lines,
    output logic               held_taken,
    output logic               held_skipped,
    output logic               held_read,
    // Steps of the framer.
    input  logic               has_room,
    output logic               step_valid,
    output logic               step_is_held,
    output logic               step_makes_beat,
    output logic               step_is_first,
    output logic               step_is_last,
    output logic        [ 5:0] step_turn,
    output logic        [ 5:0] step_end,
    output header_t            step_header,
    output logic               step_is_tagged,
    input  logic               crossed,
    output logic               out_valid,
    input  logic               out_ready,
    output outcome_t           out_outcome,
    output logic               settled,
    output logic               count_left,
    output length_t            count_bytes,
    output logic               count_dropped
);

  // Frames between their first step and the port: far fewer, for each takes a beat at least.
  localparam int unsigned DEPARTING_LOG2 = 5;

  egress_t next;
  logic next_valid;
  logic next_goes;
  stream_fifo #(
      .WIDTH($bits(egress_t)),
      .DEPTH_LOG2(ENTRIES_LOG2)
  ) u_entries (
      .clk,
      .rst_n,
      .in_valid,
      .in_ready,
      .in_bits(in_entry),
      .out_valid(next_valid),
      .out_ready(next_goes),
      .out_bits(next)
  );

  // ---- numbers of the next frame, ahead of time: a clock each ------------------------------------
  typedef struct packed {
    egress_t entry;
    logic [7:0] beats;
    length_t bytes;       // header included
    logic [5:0] turn;     // rotation of its lines
    logic is_early;       // its first line only begins to fill a beat
  } numbers_t;

  logic p1_valid, p2_valid, p2_goes;
  egress_t p1;
  length_t p1_bytes;
  logic signed [7:0] p1_shift;  // from a byte's place in its line to its place in the frame
  numbers_t p2;
  logic [4:0] header_bytes;
  assign header_bytes = next.is_tagged ? 5'(HEADER_BYTES_TAGGED) : 5'(HEADER_BYTES);
  assign next_goes = next_valid && (!p1_valid || !p2_valid || p2_goes);

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      p1_valid <= 1'b0;
      p2_valid <= 1'b0;
    end else begin
      if (!p1_valid || !p2_valid || p2_goes) p1_valid <= next_valid;
      if (!p2_valid || p2_goes) p2_valid <= p1_valid;
    end
  end
  always_ff @(posedge clk) begin
    if (next_goes) begin
      p1 <= next;
      p1_bytes <= next.bytes + length_t'(header_bytes);
      p1_shift <= 8'(header_bytes) - 8'(next.offset);
    end
    if (!p2_valid || p2_goes) begin
      p2.entry <= p1;
      p2.beats <= 8'(15'(p1_bytes) + 15'd63 >> 6);
      p2.bytes <= p1_bytes;
      p2.turn <= p1_shift[5:0];
      p2.is_early <= p1_shift < 0;
    end
  end

  // ---- one frame after the other -----------------------------------------------------------------
  logic is_sending;
  logic is_held;
  logic [7:0] lines_left;
  logic [7:0] beats_left;
  logic is_first;
  logic is_skipping;   // a step without a beat
  logic ends;
  logic starts;
  logic is_payload_here;
  logic is_bad;
  logic leaves;
  logic departing_has_place;
  logic next_is_held;
  assign next_is_held = p2.entry.is_retry;
  assign is_payload_here = !p2.entry.has_payload || (next_is_held ? held_valid : fresh_valid);
  assign is_bad = next_is_held ? held_is_bad : fresh_is_bad;
  assign leaves = p2.entry.fate == FATE_LEAVE && !is_bad;

  assign p2_goes = p2_valid && is_payload_here && (!is_sending || ends)
      && departing_has_place && is_ready;
  assign starts = p2_goes && leaves;

  assign step_valid = is_sending && (is_skipping || has_room);
  assign step_is_held = is_held;
  assign step_makes_beat = !is_skipping;
  assign step_is_first = is_first;
  assign step_is_last = beats_left == 8'd1;
  assign ends = step_valid && !is_skipping && step_is_last;

  logic reads;
  assign reads = step_valid && lines_left != '0;
  assign fresh_read = reads && !is_held;
  assign held_read = reads && is_held;
  assign fresh_taken = p2_goes && p2.entry.has_payload && !next_is_held;
  assign fresh_skipped = fresh_taken && !leaves;
  assign held_taken = p2_goes && p2.entry.has_payload && next_is_held;
  assign held_skipped = held_taken && !leaves;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      is_sending <= 1'b0;
      lines_left <= '0;
      beats_left <= '0;
      is_first <= 1'b0;
      is_skipping <= 1'b0;
    end else begin
      if (starts) begin
        // Perhaps in the clock of the last step of the frame before.
        is_sending <= 1'b1;
        lines_left <= next_is_held ? held_lines : fresh_lines;
        beats_left <= p2.beats;
        is_first <= 1'b1;
        is_skipping <= p2.is_early;
      end else if (step_valid) begin
        if (lines_left != '0) lines_left <= lines_left - 8'd1;
        is_skipping <= 1'b0;
        if (!is_skipping) begin
          is_first   <= 1'b0;
          beats_left <= beats_left - 8'd1;
        end
        if (ends) is_sending <= 1'b0;
      end
    end
  end
  always_ff @(posedge clk) begin
    if (starts) begin
      is_held <= next_is_held;
      step_turn <= p2.turn;
      step_end <= 6'(p2.bytes - 1'b1);
      step_header <= p2.entry.header;
      step_is_tagged <= p2.entry.is_tagged;
    end
  end

  // ---- departing ---------------------------------------------------------------------------------
  typedef struct packed {
    logic leaves;
    outcome_t outcome;
    length_t bytes;
  } departing_t;
  departing_t departing_in, departing;
  logic departing_valid;
  logic departs;
  logic [DEPARTING_LOG2:0] crossed_frames;

  always_comb begin
    departing_in.leaves = leaves;
    departing_in.bytes = p2.bytes;
    departing_in.outcome.is_silent = p2.entry.fate == FATE_FORGET;
    departing_in.outcome.ring = p2.entry.ring;
    departing_in.outcome.tag = p2.entry.tag;
    departing_in.outcome.status = p2.entry.fate == FATE_LEAVE && is_bad
        ? TRANSMIT_STATUS_BUS : p2.entry.status;
  end

  stream_fifo #(
      .WIDTH($bits(departing_t)),
      .DEPTH_LOG2(DEPARTING_LOG2)
  ) u_departures (
      .clk,
      .rst_n,
      .in_valid(p2_goes),
      .in_ready(departing_has_place),
      .in_bits(departing_in),
      .out_valid(departing_valid),
      .out_ready(departs),
      .out_bits(departing)
  );

  assign departs = departing_valid && (!departing.leaves || crossed_frames != '0)
      && (!out_valid || out_ready);

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      crossed_frames <= '0;
      out_valid <= 1'b0;
      settled <= 1'b0;
      count_left <= 1'b0;
      count_dropped <= 1'b0;
    end else begin
      crossed_frames <= crossed_frames + (DEPARTING_LOG2 + 1)'(crossed)
          - (DEPARTING_LOG2 + 1)'(departs && departing.leaves);
      out_valid <= departs || out_valid && !out_ready;
      settled <= departs;
      count_left <= departs && departing.leaves;
      count_dropped <= departs && !departing.leaves && !departing.outcome.is_silent;
    end
  end
  always_ff @(posedge clk) begin
    if (departs) begin
      out_outcome <= departing.outcome;
      count_bytes <= departing.bytes;
    end
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      assert (!(p2_goes && leaves) || p2.entry.has_payload)
      else $error("a frame leaves without payload");
      assert (!ends || lines_left <= 8'd1)
      else $error("a frame ends before its payload");
    end
  end
`endif

endmodule : egress
