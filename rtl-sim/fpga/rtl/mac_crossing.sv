// From the bridge's clock to the MAC's, a whole frame at a time.
//
// Between `flue_bridge` and an Ethernet MAC that stands in a clock of its own and must not starve
// inside a frame (CMAC: PG203, "tx_unfout"). A vendor's macro does both (UG974, XPM_FIFO_AXIS, in
// packet mode: a frame is shown when its last beat is in). The macro brings its own constraints.
// Invariant: the macro holds at least two of the longest frames.

module mac_crossing #(
    parameter int unsigned BEATS = 512  // a power of two; the longest frame has 145
) (
    input  logic         clk,
    input  logic         rst_n,
    input  logic [511:0] s_tdata,
    input  logic [63:0]  s_tkeep,
    input  logic         s_tlast,
    input  logic         s_tuser,
    input  logic         s_tvalid,
    output logic         s_tready,
    input  logic         mac_clk,
    output logic [511:0] m_tdata,
    output logic [63:0]  m_tkeep,
    output logic         m_tlast,
    output logic         m_tuser,
    output logic         m_tvalid,
    input  logic         m_tready
);

  xpm_fifo_axis #(
      .CLOCKING_MODE("independent_clock"),
      .FIFO_DEPTH(BEATS),
      .PACKET_FIFO("true"),
      .TDATA_WIDTH(512),
      .TUSER_WIDTH(1)
  ) u_fifo (
      .s_aclk(clk),
      .s_aresetn(rst_n),
      .s_axis_tdata(s_tdata),
      .s_axis_tkeep(s_tkeep),
      .s_axis_tstrb('1),
      .s_axis_tlast(s_tlast),
      .s_axis_tuser(s_tuser),
      .s_axis_tid('0),
      .s_axis_tdest('0),
      .s_axis_tvalid(s_tvalid),
      .s_axis_tready(s_tready),
      .m_aclk(mac_clk),
      .m_axis_tdata(m_tdata),
      .m_axis_tkeep(m_tkeep),
      .m_axis_tstrb(),
      .m_axis_tlast(m_tlast),
      .m_axis_tuser(m_tuser),
      .m_axis_tid(),
      .m_axis_tdest(),
      .m_axis_tvalid(m_tvalid),
      .m_axis_tready(m_tready),
      .injectdbiterr_axis(1'b0),
      .injectsbiterr_axis(1'b0),
      .almost_empty_axis(),
      .almost_full_axis(),
      .dbiterr_axis(),
      .prog_empty_axis(),
      .prog_full_axis(),
      .rd_data_count_axis(),
      .sbiterr_axis(),
      .wr_data_count_axis()
  );

endmodule : mac_crossing
