// Payload on the card: reads frames from host memory, keeps them in order until they leave or go.
//
// One for fresh frames, which are read as they come, and one for held frames, which are read once they
// are known to leave. From `tx_fetch` or `judge`, over the DMA engine, to `egress`.
//
//   request -> lines -> end -> [places] -> DMA -> ring of lines -> egress
//
// A request for a void frame reads nothing and takes its turn like any other, as a bad one; so does
// one that would run past the end of the address space.
// Invariants: a read is asked for only when all its lines have a place; frames are done in the order
// in which they were asked for.

module payload_buf
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned LINES = 512,
    parameter int unsigned FRAMES_LOG2 = 6  // frames asked for and not gone yet, binary logarithm
) (
    input  logic               clk,
    input  logic               rst_n,
    input  logic               req_valid,
    output logic               req_ready,
    input  logic        [63:0] req_buffer,
    input  length_t            req_bytes,
    input  logic               req_is_void,
    output logic               rd_req_valid,
    input  logic               rd_req_ready,
    output line_t              rd_req_line,
    output line_count_t        rd_req_lines,
    input  logic               rd_rsp_valid,
    output logic               rd_rsp_ready,
    input  line_bits_t         rd_rsp_data,
    input  logic               rd_rsp_error,
    input  logic               rd_rsp_last,
    // A frame is here, whole or bad; one a pulse.
    output logic               arrived,
    // The oldest one.
    output logic               frame_valid,
    output logic               frame_is_bad,
    output line_count_t        frame_lines,
    input  logic               frame_taken,    // it is the next one's turn to be the oldest
    input  logic               frame_skipped,  // and this one's lines are not read
    input  logic               line_read,      // the next line, which comes two clocks later
    output line_bits_t         line_bits
);

  localparam int unsigned AT_BITS = $clog2(LINES);
  typedef logic [AT_BITS-1:0] at_t;
  typedef logic [AT_BITS:0] count_t;

  // ---- a request: its lines, then where they end -------------------------------------------------
  logic s1_valid, s2_valid, s3_valid;
  logic s1_goes, s2_goes, s3_goes;
  logic s1_is_void, s2_is_void, s3_is_void;
  logic [63:0] s1_buffer;
  length_t s1_bytes;
  line_t s2_line, s3_line;
  line_count_t s2_lines, s3_lines;
  logic [58:0] s2_end;

  assign s1_goes   = !s2_valid || s2_goes;
  assign s2_goes   = !s3_valid || s3_goes;
  assign req_ready = !s1_valid || s1_goes;
  assign s2_end    = {1'b0, s2_line} + 59'(s2_lines);

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      s1_valid <= 1'b0;
      s2_valid <= 1'b0;
      s3_valid <= 1'b0;
    end else begin
      if (req_ready) s1_valid <= req_valid;
      if (s1_goes) s2_valid <= s1_valid;
      if (s2_goes) s3_valid <= s2_valid;
    end
  end

  always_ff @(posedge clk) begin
    if (req_ready) begin
      s1_buffer  <= req_buffer;
      s1_bytes   <= req_bytes;
      s1_is_void <= req_is_void;
    end
    if (s1_goes) begin
      s2_line <= s1_buffer[63:6];
      s2_lines <= lines_of(s1_buffer[5:0], s1_bytes);
      s2_is_void <= s1_is_void;
    end
    if (s2_goes) begin
      s3_line <= s2_line;
      s3_lines <= s2_is_void ? '0 : s2_lines;
      // The end may be the end of the address space, but not lie behind it.
      s3_is_void <= s2_is_void || s2_end[58] && s2_end[57:0] != '0;
    end
  end

  // ---- places ------------------------------------------------------------------------------------
  count_t free_lines;
  count_t freed;  // lines that came free a clock ago
  logic [AT_BITS+1:0] would_be_free;  // negative: they have no place
  logic [FRAMES_LOG2:0] frames;
  line_count_t skipped_lines;
  logic asks;
  logic has_req_place;
  assign would_be_free = {1'b0, free_lines} - (AT_BITS + 2)'(s3_lines);
  assign s3_goes = s3_valid && !would_be_free[AT_BITS+1] && !frames[FRAMES_LOG2] && has_req_place;
  assign asks = s3_goes && !s3_is_void;
  assign skipped_lines = frame_skipped ? frame_lines : '0;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      free_lines <= count_t'(LINES);
      freed      <= '0;
      frames     <= '0;
    end else begin
      free_lines <= (asks ? would_be_free[AT_BITS:0] : free_lines) + freed;
      freed      <= count_t'(skipped_lines) + count_t'(line_read);
      frames     <= frames + (FRAMES_LOG2 + 1)'(s3_goes) - (FRAMES_LOG2 + 1)'(frame_taken);
    end
  end

  stream_fifo #(
      .WIDTH($bits(line_t) + $bits(line_count_t)),
      .DEPTH_LOG2(1)
  ) u_req (
      .clk,
      .rst_n,
      .in_valid(asks),
      .in_ready(has_req_place),
      .in_bits({s3_line, s3_lines}),
      .out_valid(rd_req_valid),
      .out_ready(rd_req_ready),
      .out_bits({rd_req_line, rd_req_lines})
  );

  // ---- what was asked for, in order --------------------------------------------------------------
  logic due_valid;
  logic due_is_void;
  logic due_has_place;
  logic done_has_place;
  line_count_t due_lines;
  stream_fifo #(
      .WIDTH(9),
      .DEPTH_LOG2(FRAMES_LOG2)
  ) u_due (
      .clk,
      .rst_n,
      .in_valid(s3_goes),
      .in_ready(due_has_place),
      .in_bits({s3_is_void, s3_lines}),
      .out_valid(due_valid),
      .out_ready(arrived),
      .out_bits({due_is_void, due_lines})
  );

  logic is_line;
  logic is_bad;
  at_t write_at;
  assign rd_rsp_ready = !(due_valid && due_is_void);
  assign is_line = rd_rsp_valid && rd_rsp_ready;
  assign arrived = due_valid && (due_is_void || is_line && rd_rsp_last);

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      write_at <= '0;
      is_bad   <= 1'b0;
    end else if (is_line) begin
      write_at <= write_at + 1'b1;
      is_bad   <= (is_bad || rd_rsp_error) && !rd_rsp_last;
    end
  end

  stream_fifo #(
      .WIDTH(9),
      .DEPTH_LOG2(FRAMES_LOG2)
  ) u_done (
      .clk,
      .rst_n,
      .in_valid(arrived),
      .in_ready(done_has_place),
      .in_bits({due_is_void || is_bad || rd_rsp_error, due_is_void ? 8'd0 : due_lines}),
      .out_valid(frame_valid),
      .out_ready(frame_taken),
      .out_bits({frame_is_bad, frame_lines})
  );

  // ---- the lines ---------------------------------------------------------------------------------
  line_bits_t lines[LINES];
  line_bits_t line_stored;
  at_t read_at;

  always_ff @(posedge clk) begin
    if (is_line) lines[write_at] <= rd_rsp_data;
  end
  always_ff @(posedge clk) begin
    line_stored <= lines[read_at];
    line_bits   <= line_stored;
  end

  always_ff @(posedge clk) begin
    if (!rst_n) read_at <= '0;
    else read_at <= read_at + at_t'(skipped_lines) + at_t'(line_read);
  end

`ifndef SYNTHESIS
  line_count_t came_lines;
  always @(posedge clk) begin
    if (!rst_n) came_lines <= '0;
    else if (is_line) came_lines <= rd_rsp_last ? '0 : came_lines + 8'd1;
    if (rst_n) begin
      assert (!(is_line && rd_rsp_last) || came_lines + 8'd1 == due_lines)
      else $error("a read brings more or fewer lines than were asked for");
      assert (!is_line || due_valid)
      else $error("a line comes that nobody asked for");
      assert (!line_read || free_lines != count_t'(LINES))
      else $error("a line is read that is not there");
      assert (due_has_place && done_has_place || !s3_goes)
      else $error("more frames are asked for than have a place");
      assert (free_lines <= count_t'(LINES))
      else $error("more lines are free than there are");
    end
  end
`endif

endmodule : payload_buf
