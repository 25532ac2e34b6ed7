// For `bench_egress_path`: both payload buffers, `egress` and `framer`, joined as `datapath` joins them.
//
// Lane 0 is that of fresh frames, lane 1 that of held ones.

module egress_path
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned LINES = 512,
    parameter int unsigned PORT_STALL_CLOCKS = 1 << 24
) (
    input  logic              clk,
    input  logic              rst_n,
    input  logic              is_ready,
    input  logic [1:0]        req_valid,
    output logic [1:0]        req_ready,
    input  logic [1:0][63:0]  req_buffer,
    input  logic [1:0][LENGTH_BITS-1:0] req_bytes,
    input  logic [1:0]        req_is_void,
    output logic [1:0]        rd_req_valid,
    input  logic [1:0]        rd_req_ready,
    output logic [1:0][57:0]  rd_req_line,
    output logic [1:0][7:0]   rd_req_lines,
    input  logic [1:0]        rd_rsp_valid,
    output logic [1:0]        rd_rsp_ready,
    input  logic [1:0][511:0] rd_rsp_data,
    input  logic [1:0]        rd_rsp_error,
    input  logic [1:0]        rd_rsp_last,
    input  logic              in_valid,
    output logic              in_ready,
    input  egress_t           in_entry,
    output logic              m_axis_tvalid,
    input  logic              m_axis_tready,
    output logic [511:0]      m_axis_tdata,
    output logic [63:0]       m_axis_tkeep,
    output logic              m_axis_tlast,
    output logic              is_quiet,
    output logic              is_stalled,
    output logic              out_valid,
    input  logic              out_ready,
    output outcome_t          out_outcome,
    output logic              settled,
    output logic              count_left,
    output logic [LENGTH_BITS-1:0] count_bytes,
    output logic              count_dropped
);

  logic [1:0] arrived, frame_valid, frame_is_bad, frame_taken, frame_skipped, line_read;
  line_count_t [1:0] frame_lines;
  line_bits_t [1:0] line_bits;
  for (genvar n = 0; n < 2; n++) begin : g_lane
    payload_buf #(
        .LINES(LINES)
    ) u_buf (
        .clk, .rst_n, .req_valid(req_valid[n]), .req_ready(req_ready[n]),
        .req_buffer(req_buffer[n]), .req_bytes(req_bytes[n]), .req_is_void(req_is_void[n]),
        .rd_req_valid(rd_req_valid[n]), .rd_req_ready(rd_req_ready[n]),
        .rd_req_line(rd_req_line[n]), .rd_req_lines(rd_req_lines[n]),
        .rd_rsp_valid(rd_rsp_valid[n]), .rd_rsp_ready(rd_rsp_ready[n]),
        .rd_rsp_data(rd_rsp_data[n]), .rd_rsp_error(rd_rsp_error[n]),
        .rd_rsp_last(rd_rsp_last[n]), .arrived(arrived[n]), .frame_valid(frame_valid[n]),
        .frame_is_bad(frame_is_bad[n]), .frame_lines(frame_lines[n]),
        .frame_taken(frame_taken[n]), .frame_skipped(frame_skipped[n]),
        .line_read(line_read[n]), .line_bits(line_bits[n])
    );
  end

  logic has_room, step_valid, step_is_held, step_makes_beat, step_is_first, step_is_last;
  logic step_is_tagged, crossed;
  logic [5:0] step_turn, step_end;
  header_t step_header;

  egress u_egress (
      .clk, .rst_n, .is_ready, .in_valid, .in_ready, .in_entry,
      .fresh_valid(frame_valid[0]), .fresh_is_bad(frame_is_bad[0]), .fresh_lines(frame_lines[0]),
      .fresh_taken(frame_taken[0]), .fresh_skipped(frame_skipped[0]), .fresh_read(line_read[0]),
      .held_valid(frame_valid[1]), .held_is_bad(frame_is_bad[1]), .held_lines(frame_lines[1]),
      .held_taken(frame_taken[1]), .held_skipped(frame_skipped[1]), .held_read(line_read[1]),
      .has_room, .step_valid, .step_is_held, .step_makes_beat, .step_is_first, .step_is_last,
      .step_turn, .step_end, .step_header, .step_is_tagged, .crossed, .out_valid, .out_ready,
      .out_outcome, .settled, .count_left, .count_bytes, .count_dropped
  );

  framer #(
      .PORT_STALL_CLOCKS(PORT_STALL_CLOCKS)
  ) u_framer (
      .clk, .rst_n, .is_ready, .has_room, .step_valid, .step_is_held, .step_makes_beat,
      .step_is_first, .step_is_last, .step_turn, .step_end, .step_header, .step_is_tagged,
      .fresh_bits(line_bits[0]), .held_bits(line_bits[1]), .m_axis_tvalid, .m_axis_tready,
      .m_axis_tdata, .m_axis_tkeep, .m_axis_tlast, .crossed, .is_quiet, .is_stalled
  );

endmodule : egress_path
