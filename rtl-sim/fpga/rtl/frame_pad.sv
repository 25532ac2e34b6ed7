// Frames towards an Ethernet MAC: none shorter than Ethernet allows.
//
// Between the card's port and the MAC, which appends the frame check sequence. The shortest frame is
// 60 bytes without it (IEEE 802.3, 3.2.8); what the card sends less is filled up with zeros, which a
// receiver cuts off by the IP header's length. Beats pass unchanged otherwise, a clock later.
// Invariant: a beat stays as it is while it waits.

module frame_pad
  import flue_rtl_pkg::*;
(
    input  logic                  clk,
    input  logic                  rst_n,
    input  line_bits_t            s_tdata,
    input  logic [LINE_BYTES-1:0] s_tkeep,
    input  logic                  s_tlast,
    input  logic                  s_tvalid,
    output logic                  s_tready,
    output line_bits_t            m_tdata,
    output logic [LINE_BYTES-1:0] m_tkeep,
    output logic                  m_tlast,
    output logic                  m_tvalid,
    input  logic                  m_tready
);

  localparam int unsigned SHORTEST = 60;
  localparam logic [LINE_BYTES-1:0] SHORTEST_KEEP = 64'((65'd1 << SHORTEST) - 65'd1);

  logic is_first;
  line_bits_t filled;
  logic [LINE_BYTES-1:0] keep;

  always_comb begin
    filled = s_tdata;
    for (int unsigned b = 0; b < LINE_BYTES; b++) begin
      if (!s_tkeep[b]) filled[8*b+:8] = '0;
    end
    keep = is_first && s_tlast ? s_tkeep | SHORTEST_KEEP : s_tkeep;
  end

  always_ff @(posedge clk) begin
    if (!rst_n) is_first <= 1'b1;
    else if (s_tvalid && s_tready) is_first <= s_tlast;
  end

  stream_fifo #(
      .WIDTH(LINE_BITS + LINE_BYTES + 1),
      .DEPTH_LOG2(1)
  ) u_beats (
      .clk(clk),
      .rst_n(rst_n),
      .in_valid(s_tvalid),
      .in_ready(s_tready),
      .in_bits({s_tlast, keep, filled}),
      .out_valid(m_tvalid),
      .out_ready(m_tready),
      .out_bits({m_tlast, m_tkeep, m_tdata})
  );

endmodule : frame_pad
