// The card's trace: a ring a writer, and the time on what the engines note.
//
// From the core's window (firmware), the engines of the command rings (several sources, which wait
// in short queues for their turn) and the datapath. While the trace is off nothing is written. A
// record's time is that of its writing, so a ring's records are in the order of their times.
// Invariant: a record below `filled` is whole.

module trace
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
#(
    parameter int unsigned SOURCES = 5  // engines that write the ring TRACE_WRITER_RINGS
) (
    input  logic                       clk,
    input  logic                       rst_n,
    input  logic                       empty,         // a reset: positions 0
    // Power-on: every record is cleared, place by place.
    input  logic                       clear,
    input  logic [9:0]                 clear_place,
    input  logic                       is_on,
    input  logic [31:0]                now_cycles,    // low word
    input  logic [31:0]                now_ms,
    // The firmware's window and position.
    input  logic                       core_we,
    input  logic [11:0]                core_waddr,    // place, word
    input  logic [31:0]                core_wdata,
    input  logic                       core_set_filled,
    input  logic [SOURCES-1:0]         note_valid,
    input  trace_note_t [SOURCES-1:0]  note,
    input  logic                       datapath_valid,
    input  trace_note_t                datapath_note,
    // The host: ring, place, word; and how far each ring is filled.
    input  logic [13:0]                raddr,
    output logic [31:0]                rdata,         // a clock later
    output logic [2:0][31:0]           filled
);

  localparam int unsigned SOURCE_BITS = SOURCES > 1 ? $clog2(SOURCES) : 1;

  // ---- the engines in turn ----------------------------------------------------------------------
  logic [SOURCES-1:0] has_room;
  logic [SOURCES-1:0] is_waiting;
  trace_note_t [SOURCES-1:0] waiting;
  logic [SOURCE_BITS-1:0] turn;
  logic [SOURCE_BITS-1:0] picked;
  logic is_picked;

  for (genvar s = 0; s < SOURCES; s++) begin : g_source
    stream_fifo #(
        .WIDTH($bits(trace_note_t)),
        .DEPTH_LOG2(3)
    ) u_queue (
        .clk(clk),
        .rst_n(rst_n && !empty),
        .in_valid(note_valid[s] && is_on),
        .in_ready(has_room[s]),
        .in_bits(note[s]),
        .out_valid(is_waiting[s]),
        .out_ready(picked == SOURCE_BITS'(s)),
        .out_bits(waiting[s])
    );
  end

  rotate_pick #(
      .N(SOURCES)
  ) u_pick (
      .wants(is_waiting),
      .turn (turn),
      .any  (is_picked),
      .which(picked)
  );

  // ---- the rings --------------------------------------------------------------------------------
  logic [2:0][3:0] we;
  logic [2:0][9:0] wplace;
  logic [2:0][3:0][31:0] wdata;
  logic [2:0][31:0] found;
  logic [1:0] read_ring;

  function automatic logic [3:0][31:0] record(input trace_note_t what, input logic [31:0] cycles,
                                              input logic [31:0] ms);
    return {what, ms, cycles};
  endfunction

  always_comb begin
    we[TRACE_WRITER_FIRMWARE]     = core_we ? 4'd1 << core_waddr[1:0] : '0;
    wplace[TRACE_WRITER_FIRMWARE] = core_waddr[11:2];
    wdata[TRACE_WRITER_FIRMWARE]  = {4{core_wdata}};
    we[TRACE_WRITER_RINGS]        = {4{is_picked}};
    wplace[TRACE_WRITER_RINGS]    = filled[TRACE_WRITER_RINGS][9:0];
    wdata[TRACE_WRITER_RINGS]     = record(waiting[picked], now_cycles, now_ms);
    we[TRACE_WRITER_DATAPATH]     = {4{datapath_valid && is_on}};
    wplace[TRACE_WRITER_DATAPATH] = filled[TRACE_WRITER_DATAPATH][9:0];
    wdata[TRACE_WRITER_DATAPATH]  = record(datapath_note, now_cycles, now_ms);
    if (clear) begin
      we     = '1;
      wplace = {3{clear_place}};
      wdata  = '0;
    end
  end

  for (genvar r = 0; r < 3; r++) begin : g_ring
    trace_ring u_ring (
        .clk(clk),
        .we(we[r]),
        .wplace(wplace[r]),
        .wdata(wdata[r]),
        .raddr(raddr[11:0]),
        .rdata(found[r])
    );
  end
  assign rdata = read_ring == 2'd3 ? '0 : found[read_ring];

  always_ff @(posedge clk) begin
    if (!rst_n || empty) begin
      filled    <= '0;
      turn      <= '0;
      read_ring <= '0;
    end else begin
      read_ring <= raddr[13:12];
      if (is_picked) turn <= picked;
      if (core_set_filled) filled[TRACE_WRITER_FIRMWARE] <= core_wdata;
      filled[TRACE_WRITER_RINGS] <= filled[TRACE_WRITER_RINGS] + 32'(is_picked);
      filled[TRACE_WRITER_DATAPATH] <=
          filled[TRACE_WRITER_DATAPATH] + 32'(datapath_valid && is_on);
    end
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n && !empty) begin
      for (int unsigned s = 0; s < SOURCES; s++) begin
        assert (has_room[s] || !note_valid[s] || !is_on)
        else $error("a note was lost");
      end
    end
  end
`endif

endmodule : trace
