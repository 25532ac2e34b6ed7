// The card's writes and MSI-X messages, one after another, on one AXI4 write channel.
//
// Between the card's master and the bridge. Both are single beats; a message is a word of a line and
// has an ID of its own, by which its answer is told from those of the card. What is on its way here
// came before: a message never overtakes the writes that the card was answered for, because those
// are on the bus already.
// Invariant: addresses and lines leave in the same order.

module write_merge
  import flue_rtl_pkg::*;
#(
    parameter logic [4:0] MESSAGE_ID = 5'd31
) (
    input  logic                  clk,
    input  logic                  rst_n,
    // The card.
    input  logic [ 4:0]           card_awid,
    input  logic [63:0]           card_awaddr,
    input  logic                  card_awvalid,
    output logic                  card_awready,
    input  line_bits_t            card_wdata,
    input  logic [LINE_BYTES-1:0] card_wstrb,
    input  logic                  card_wvalid,
    output logic                  card_wready,
    output logic [ 4:0]           card_bid,
    output logic [ 1:0]           card_bresp,
    output logic                  card_bvalid,
    // Messages.
    input  logic                  msg_valid,
    output logic                  msg_ready,
    input  logic [63:0]           msg_address,
    input  logic [31:0]           msg_data,
    output logic                  msg_is_out,    // one is not answered yet
    // The bridge.
    output logic [ 4:0]           m_axi_awid,
    output logic [63:0]           m_axi_awaddr,
    output logic [ 7:0]           m_axi_awlen,
    output logic [ 2:0]           m_axi_awsize,
    output logic [ 1:0]           m_axi_awburst,
    output logic                  m_axi_awvalid,
    input  logic                  m_axi_awready,
    output line_bits_t            m_axi_wdata,
    output logic [LINE_BYTES-1:0] m_axi_wstrb,
    output logic                  m_axi_wlast,
    output logic                  m_axi_wvalid,
    input  logic                  m_axi_wready,
    input  logic [ 4:0]           m_axi_bid,
    input  logic [ 1:0]           m_axi_bresp,
    input  logic                  m_axi_bvalid,
    output logic                  m_axi_bready
);

  logic aw_room, w_room;
  logic takes_message, takes_card, is_taken;
  logic [4:0] id;
  logic [63:0] address;
  line_bits_t data;
  logic [LINE_BYTES-1:0] strobes;

  // One message at a time, so that its answer needs no number.
  assign takes_message = msg_valid && !msg_is_out && aw_room && w_room;
  assign takes_card = card_awvalid && card_wvalid && aw_room && w_room && !takes_message;
  assign is_taken = takes_message || takes_card;
  assign msg_ready = takes_message;
  assign card_awready = takes_card;
  assign card_wready = takes_card;

  always_comb begin
    id      = card_awid;
    address = card_awaddr;
    data    = card_wdata;
    strobes = card_wstrb;
    if (takes_message) begin
      id      = MESSAGE_ID;
      address = {msg_address[63:6], 6'd0};
      data    = {LINE_WORDS{msg_data}};
      strobes = 64'hf << {msg_address[5:2], 2'd0};
    end
  end

  stream_fifo #(
      .WIDTH(5 + 64),
      .DEPTH_LOG2(1)
  ) u_aw (
      .clk(clk),
      .rst_n(rst_n),
      .in_valid(is_taken),
      .in_ready(aw_room),
      .in_bits({id, address}),
      .out_valid(m_axi_awvalid),
      .out_ready(m_axi_awready),
      .out_bits({m_axi_awid, m_axi_awaddr})
  );
  assign m_axi_awlen = '0;
  assign m_axi_awsize = 3'd6;
  assign m_axi_awburst = 2'd1;

  stream_fifo #(
      .WIDTH(LINE_BITS + LINE_BYTES),
      .DEPTH_LOG2(1)
  ) u_w (
      .clk(clk),
      .rst_n(rst_n),
      .in_valid(is_taken),
      .in_ready(w_room),
      .in_bits({strobes, data}),
      .out_valid(m_axi_wvalid),
      .out_ready(m_axi_wready),
      .out_bits({m_axi_wstrb, m_axi_wdata})
  );
  assign m_axi_wlast = 1'b1;

  logic is_of_message;
  assign is_of_message = m_axi_bid == MESSAGE_ID;
  assign m_axi_bready = 1'b1;
  assign card_bvalid = m_axi_bvalid && !is_of_message;
  assign card_bid = m_axi_bid;
  assign card_bresp = m_axi_bresp;

  always_ff @(posedge clk) begin
    if (!rst_n) msg_is_out <= 1'b0;
    else if (takes_message) msg_is_out <= 1'b1;
    else if (m_axi_bvalid && is_of_message) msg_is_out <= 1'b0;
  end

  // Whether a message arrived is nobody's to know: an interrupt has no status.
  logic unused;
  assign unused = ^msg_address[1:0];

endmodule : write_merge
