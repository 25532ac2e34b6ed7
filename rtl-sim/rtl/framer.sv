// Builds frames: lines of payload are turned to their place, the header goes in front, beats come out.
//
// From `egress`, which says line by line what to do, to the port. A line's bytes are rotated so that
// they stand where they will in the frame; a beat takes its upper bytes from this line and its lower
// ones from the line before.
//
//   step -> (memory: 2 clocks) -> rotate by eights -> rotate by ones -> merge, header -> queue -> port
//
// Invariants: a step that makes a beat has a place for it in the queue (`has_room`); a frame that has
// begun to cross goes on to its end, also on a card that is not ready any more; none begins then.

module framer
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned PORT_STALL_CLOCKS = PORT_STALL_CLOCKS_DEFAULT
) (
    input  logic         clk,
    input  logic         rst_n,
    input  logic         is_ready,
    output logic         has_room,        // for one more beat
    input  logic         step_valid,
    input  logic         step_is_held,    // the line comes from the buffer of held frames
    input  logic         step_makes_beat,
    input  logic         step_is_first,   // of the frame's beats
    input  logic         step_is_last,
    input  logic [  5:0] step_turn,       // bytes by which lines are rotated
    input  logic [  5:0] step_end,        // last byte of the last beat
    input  header_t      step_header,
    input  logic         step_is_tagged,
    input  line_bits_t   fresh_bits,      // two clocks behind the step
    input  line_bits_t   held_bits,
    output logic         m_axis_tvalid,
    input  logic         m_axis_tready,
    output line_bits_t   m_axis_tdata,
    output logic [ 63:0] m_axis_tkeep,
    output logic         m_axis_tlast,
    output logic         crossed,         // a frame has left
    output logic         is_quiet,        // none is in the middle of crossing
    output logic         is_stalled       // pulse: the port has taken nothing for too long
);

  localparam int unsigned BEATS_LOG2 = 4;

  typedef struct packed {
    logic makes_beat;
    logic is_first;
    logic is_last;
    logic [5:0] turn;
    logic [5:0] end_byte;
    logic is_tagged;
    header_t header;
  } step_t;

  logic [3:0] has;
  step_t s0, s1, s2, s3;
  logic is_held1, is_held2;
  logic makes_beat4, is_first4, is_last4, is_tagged4;
  logic [5:0] end4;
  header_t header4;
  line_bits_t line3, line4, line5;
  logic [63:0] upper4;  // bytes of the beat that come from this line

  assign s0 = '{
      makes_beat: step_makes_beat,
      is_first: step_is_first,
      is_last: step_is_last,
      turn: step_turn,
      end_byte: step_end,
      is_tagged: step_is_tagged,
      header: step_header
  };

  always_ff @(posedge clk) begin
    if (!rst_n) has <= '0;
    else has <= {has[2:0], step_valid};
  end

  function automatic line_bits_t rotated(input line_bits_t bits, input logic [8:0] by);
    return (bits << by) | (bits >> (10'd512 - 10'(by)));
  endfunction

  always_ff @(posedge clk) begin
    s1 <= s0;
    is_held1 <= step_is_held;
    is_held2 <= is_held1;
    s2 <= s1;
    s3 <= s2;
    makes_beat4 <= s3.makes_beat;
    is_first4 <= s3.is_first;
    is_last4 <= s3.is_last;
    is_tagged4 <= s3.is_tagged;
    end4 <= s3.end_byte;
    header4 <= s3.header;
    line3 <= rotated(is_held2 ? held_bits : fresh_bits, {s2.turn[5:3], 6'd0});
    line4 <= rotated(line3, {3'd0, s3.turn[2:0], 3'd0});
    for (int unsigned i = 0; i < LINE_BYTES; i++) upper4[i] <= 6'(i) >= s3.turn;
    if (has[3]) line5 <= line4;
  end

  // ---- the beat ----------------------------------------------------------------------------------
  line_bits_t beat;
  line_bits_t beat5;
  logic [63:0] keep5;
  logic last5;
  logic has5;
  logic is_header;
  always_comb begin
    beat = '0;
    for (int unsigned i = 0; i < LINE_BYTES; i++) begin
      beat[8*i+:8] = upper4[i] ? line4[8*i+:8] : line5[8*i+:8];
      is_header = is_first4 && (i < HEADER_BYTES || is_tagged4 && i < HEADER_BYTES_TAGGED);
      if (i < HEADER_BYTES_TAGGED && is_header)
        beat[8*i+:8] = header4[8*(i%HEADER_BYTES_TAGGED)+:8];
    end
  end

  always_ff @(posedge clk) begin
    if (!rst_n) has5 <= 1'b0;
    else has5 <= has[3] && makes_beat4;
  end
  always_ff @(posedge clk) begin
    beat5 <= beat;
    last5 <= is_last4;
    for (int unsigned i = 0; i < LINE_BYTES; i++)
      keep5[i] <= !is_last4 || 6'(i) <= end4;
  end

  // ---- the port ----------------------------------------------------------------------------------
  logic queue_valid;
  logic queue_has_place;
  logic is_taken;
  logic is_open;
  logic is_amid;
  logic [BEATS_LOG2:0] promised;
  logic [$clog2(PORT_STALL_CLOCKS + 1)-1:0] waited;

  stream_fifo #(
      .WIDTH(1 + LINE_BYTES + LINE_BITS),
      .DEPTH_LOG2(BEATS_LOG2)
  ) u_beats (
      .clk,
      .rst_n,
      .in_valid(has5),
      .in_ready(queue_has_place),
      .in_bits({last5, keep5, beat5}),
      .out_valid(queue_valid),
      .out_ready(is_taken),
      .out_bits({m_axis_tlast, m_axis_tkeep, m_axis_tdata})
  );

  assign m_axis_tvalid = queue_valid && is_open;
  assign is_taken = m_axis_tvalid && m_axis_tready;
  assign crossed = is_taken && m_axis_tlast;
  assign has_room = !promised[BEATS_LOG2];
  assign is_quiet = !m_axis_tvalid && !is_amid;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      promised <= '0;
      is_open <= 1'b0;
      is_amid <= 1'b0;
      waited <= '0;
      is_stalled <= 1'b0;
    end else begin
      promised <= promised + (BEATS_LOG2 + 1)'(step_valid && step_makes_beat)
          - (BEATS_LOG2 + 1)'(is_taken);
      if (is_taken) is_amid <= !m_axis_tlast;
      // It closes between two frames, and never under a beat that is shown.
      is_open <= is_ready || is_open && (m_axis_tvalid || is_amid) && !crossed;
      if (!m_axis_tvalid || m_axis_tready) waited <= '0;
      else if (waited != '1) waited <= waited + 1'b1;
      is_stalled <= m_axis_tvalid && !m_axis_tready
          && waited == ($bits(waited))'(PORT_STALL_CLOCKS - 1);
    end
  end

`ifndef SYNTHESIS
  logic was_shown;
  logic [LINE_BITS+LINE_BYTES:0] shown;
  always @(posedge clk) begin
    was_shown <= rst_n && m_axis_tvalid && !m_axis_tready;
    shown <= {m_axis_tlast, m_axis_tkeep, m_axis_tdata};
    if (rst_n) begin
      assert (!has5 || queue_has_place)
      else $error("a beat has no place");
      assert (!was_shown || m_axis_tvalid && shown == {m_axis_tlast, m_axis_tkeep, m_axis_tdata})
      else $error("a beat changed before the port took it");
    end
  end
`endif

endmodule : framer
