// The queue of notices is bounded, of `notice_fifo`: no more wait than the contract says, none is
// overwritten before the firmware took it, and the window shows only notices that are there.
//
// Assumed of the firmware: it takes only what it sees.

module notice_fifo_props
  import offload_abi_pkg::*;
(
    input logic clk,
    input logic rst_n,
    input logic notice_valid,
    input logic [1:0] notice_kind,
    input logic [63:0] notice_handle,
    input logic [31:0] taken,
    input logic [5:0] raddr
);

  logic notice_ready, arrived;
  logic [31:0] left, rdata;
  notice_fifo u_dut (
      .clk, .rst_n, .notice_valid, .notice_ready, .notice_kind, .notice_handle, .arrived, .left,
      .taken, .raddr, .rdata
  );

  logic is_begun = 1'b0;
  logic [31:0] was_taken;
  always_ff @(posedge clk) begin
    is_begun <= 1'b1;
    was_taken <= rst_n ? taken : '0;
  end

  always @(posedge clk) begin
    assume (is_begun || !rst_n);
    if (!rst_n) assume (taken == '0);
    if (rst_n) begin
      assume (taken - was_taken <= left - was_taken);
      bounded: assert (u_dut.filled - taken <= LIMIT_NOTICES_MAX);
      not_overwritten: assert (!(notice_valid && notice_ready)
          || u_dut.filled - taken < 32'(1 << u_dut.PLACES_LOG2));
      whole: assert (left - taken <= u_dut.filled - taken);
      in_window: assert (left - taken <= CORE_WINDOWS_NOTICE_SLOTS);
      // Invariants.
      forward: assert (left - was_taken <= CORE_WINDOWS_NOTICE_SLOTS
          && u_dut.filled - left <= LIMIT_NOTICES_MAX
          && u_dut.filled - was_taken <= LIMIT_NOTICES_MAX);
    end
  end

endmodule : notice_fifo_props
