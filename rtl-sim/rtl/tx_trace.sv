// What the datapath has to tell the trace: fetched descriptors, batches, epochs, vectors.
//
// Beside all its modules. There are no batches in here; what is told of as one is what went on
// between two pauses, or sixty-four frames, so that a trace has a line where frames are many. Notes that
// come in one clock wait for each other.
// Invariant: every frame that was decided about is in one RESOLVED, every one that is done with in one
// CROSSED.

module tx_trace
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned RING_BITS = 1
) (
    input  logic                        clk,
    input  logic                        rst_n,
    input  logic                        trace_on,
    input  logic                        judged,
    input  logic                        held,
    input  logic                        settled,
    input  logic                        left,
    input  logic        [         31:0] announced,
    input  logic                        announces,
    input  logic        [         31:0] announcing,
    input  logic                        note_fetched,
    input  logic                        note_doorbell,
    input  logic        [RING_BITS-1:0] note_ring,
    input  logic        [         15:0] note_detail,
    input  logic        [         31:0] note_value,
    input  logic                        note_interrupt,
    input  logic        [RING_BITS-1:0] interrupt_ring,
    input  logic        [          3:0] interrupt_vector,
    output logic                        trace_valid,
    output trace_note_t                 trace_record
);

  localparam int unsigned NOTES_LOG2 = 3;
  localparam logic [6:0] BATCH = LIMIT_RESOLVE_BATCH[6:0];
  localparam logic [7:0] PAUSE = 8'(TRACE_BATCH_CLOCKS);

  // A queue of its own for each source that cannot wait: fetches, epochs and vectors, batches.
  trace_note_t ring_note;
  trace_note_t other_note;
  trace_note_t batch_note;
  logic ring_has, other_has, other_goes, batch_has, batch_goes;

  function automatic trace_note_t note_of(input logic [7:0] kind, input logic [7:0] ring,
                                          input logic [15:0] detail, input logic [31:0] value);
    return '{value: value, detail: detail, ring: ring, kind: kind};
  endfunction

  always_ff @(posedge clk) begin
    if (!rst_n) ring_has <= 1'b0;
    else ring_has <= trace_on && (note_fetched || note_doorbell);
  end
  always_ff @(posedge clk) begin
    ring_note <= note_of(note_fetched ? TRACE_KIND_FETCHED : TRACE_KIND_DOORBELL,
        BAR_TRANSMIT_RING_FIRST[7:0] + 8'(note_ring), note_detail, note_value);
  end

  logic others_have_place;
  stream_fifo #(
      .WIDTH($bits(trace_note_t)),
      .DEPTH_LOG2(NOTES_LOG2)
  ) u_others (
      .clk,
      .rst_n,
      .in_valid(trace_on && (announces || note_interrupt) && others_have_place),
      .in_ready(others_have_place),
      .in_bits(announces
          ? note_of(TRACE_KIND_ANNOUNCED, 8'd0, 16'd0, announcing)
          : note_of(TRACE_KIND_INTERRUPT, BAR_TRANSMIT_RING_FIRST[7:0] + 8'(interrupt_ring),
              16'(interrupt_vector), 32'd0)),
      .out_valid(other_has),
      .out_ready(other_goes),
      .out_bits(other_note)
  );

  // ---- batches -----------------------------------------------------------------------------------
  logic [6:0] judged_frames, held_frames, settled_frames, left_frames;
  logic [7:0] judged_pause, settled_pause;
  logic tells_judged, tells_settled;
  typedef enum logic [1:0] {
    NOTHING,
    RESOLVED,
    HELD,
    CROSSED
  } batch_e;
  batch_e tells;
  assign tells_judged = judged_frames >= BATCH || judged_frames != '0 && judged_pause == PAUSE;
  assign tells_settled = settled_frames >= BATCH || settled_frames != '0 && settled_pause == PAUSE;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      judged_frames <= '0;
      held_frames <= '0;
      settled_frames <= '0;
      left_frames <= '0;
      judged_pause <= '0;
      settled_pause <= '0;
      tells <= NOTHING;
      batch_has <= 1'b0;
    end else begin
      if (judged) judged_pause <= '0;
      else if (judged_pause != PAUSE) judged_pause <= judged_pause + 8'd1;
      if (settled) settled_pause <= '0;
      else if (settled_pause != PAUSE) settled_pause <= settled_pause + 8'd1;

      judged_frames <= judged_frames + 7'(judged && trace_on);
      held_frames <= held_frames + 7'(held && trace_on);
      settled_frames <= settled_frames + 7'(settled && trace_on);
      left_frames <= left_frames + 7'(left && trace_on);
      if (batch_goes) batch_has <= 1'b0;
      if (!batch_has || batch_goes) begin
        tells <= NOTHING;
        if (tells_judged) begin
          tells <= RESOLVED;
          batch_has <= 1'b1;
          batch_note <= note_of(TRACE_KIND_RESOLVED, 8'd0, 16'(judged_frames), announced);
          judged_frames <= 7'(judged && trace_on);
        end else if (tells == RESOLVED && held_frames != '0) begin
          tells <= HELD;
          batch_has <= 1'b1;
          batch_note <= note_of(TRACE_KIND_HELD, 8'd0, 16'(held_frames), 32'd0);
          held_frames <= 7'(held && trace_on);
        end else if (tells_settled) begin
          tells <= CROSSED;
          batch_has <= 1'b1;
          batch_note <= note_of(TRACE_KIND_CROSSED, 8'd0, 16'(settled_frames), 32'(left_frames));
          settled_frames <= 7'(settled && trace_on);
          left_frames <= 7'(left && trace_on);
        end
      end
    end
  end

  // ---- one a clock -------------------------------------------------------------------------------
  assign other_goes = !ring_has;
  assign batch_goes = !ring_has && !other_has;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      trace_valid  <= 1'b0;
      trace_record <= '0;
    end else begin
      trace_valid  <= ring_has || other_has || batch_has;
      trace_record <= ring_has ? ring_note : other_has ? other_note : batch_note;
    end
  end

endmodule : tx_trace
