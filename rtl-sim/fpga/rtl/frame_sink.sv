// Where frames end on a board without a network: they are counted.
//
// At the card's port on AWS F2, which has no Ethernet. It takes a beat a clock, for ever.
// Invariant: a frame counts when its last beat crossed.

module frame_sink
  import flue_rtl_pkg::*;
(
    input  logic                  clk,
    input  logic                  rst_n,
    input  logic [LINE_BYTES-1:0] s_tkeep,
    input  logic                  s_tlast,
    input  logic                  s_tvalid,
    output logic                  s_tready,
    output logic [31:0]           frames,
    output logic [31:0]           bytes
);

  logic [6:0] beat_bytes;
  logic is_beat;

  assign s_tready = 1'b1;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      is_beat    <= 1'b0;
      beat_bytes <= '0;
      frames     <= '0;
      bytes      <= '0;
    end else begin
      is_beat    <= s_tvalid;
      beat_bytes <= 7'($countones(s_tkeep));
      if (is_beat) bytes <= bytes + 32'(beat_bytes);
      if (s_tvalid && s_tlast) frames <= frames + 32'd1;
    end
  end

endmodule : frame_sink
