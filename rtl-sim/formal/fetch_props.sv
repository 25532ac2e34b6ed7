// Every slot that is fetched has a completion slot, of `fetch`: slots that were asked for, less
// those that get no completion and those whose completions were reaped, are never more than the
// completion ring is long; and never more in the mailbox than it holds. Nothing is asked for behind
// a position that makes no sense: that ring fails.
//
// Assumed of the firmware: it takes only what was fetched, and settles or completes only what it
// took; of the DMA engine: it answers a request with as many lines as were asked for, in the clock
// behind it at the earliest; of `cpl_ring`: it tells two clocks later whether what was reaped makes
// sense; a ring is started once. The host's positions are anything; what it has reaped counts from
// the furthest that made sense.

module fetch_props
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
#(
    parameter int unsigned LOG2 = 2  // binary logarithm of the ring's slots
) (
    input logic clk,
    input logic rst_n,
    input logic is_open,
    input logic start,
    input line_t ring_base,
    input logic [31:0] tail,
    input logic [31:0] reaped,
    input logic [31:0] taken,
    input logic [31:0] settled,
    input logic [31:0] issued,
    input logic is_stopped,
    input logic rd_req_ready,
    input logic rd_rsp_valid,
    input logic rd_rsp_error,
    input logic rd_rsp_last
);

  localparam logic [31:0] Size = 32'd1 << LOG2;
  logic [31:0] fetched;
  logic fail_doorbell, fail_bus, rd_req_valid, rd_rsp_ready, is_running, is_reaped_sane;
  line_t rd_req_line;
  line_count_t rd_req_lines;
  fetch #(
      .RINGS(1)
  ) u_dut (
      .clk, .rst_n, .is_open, .ring_start(start), .ring_base, .ring_log2(5'(LOG2)),
      .ring_running(is_running), .ring_tail(tail), .ring_reaped(reaped), .is_reaped_sane,
      .taken, .settled, .fetched, .fail_doorbell, .fail_bus, .arrived(), .mail_we(), .mail_line(),
      .mail_data(), .rd_req_valid, .rd_req_ready, .rd_req_line, .rd_req_lines, .rd_rsp_valid,
      .rd_rsp_ready, .rd_rsp_data('0), .rd_rsp_error, .rd_rsp_last, .doorbell_note_valid(),
      .doorbell_note(), .fetched_note_valid(), .fetched_note()
  );

  logic is_begun = 1'b0;
  logic is_started;
  logic [31:0] asked, furthest, used, was_taken, was_settled, was_issued, was_both;
  line_count_t lines_due;
  assign asked = u_dut.asked[0];
  assign was_both = was_settled + was_issued;
  always_ff @(posedge clk) begin
    is_begun <= 1'b1;
    was_taken <= taken;
    was_settled <= settled;
    was_issued <= issued;
    if (!rst_n) begin
      is_started <= 1'b0;
      is_running <= 1'b0;
      furthest <= '0;
      used <= '0;
      is_reaped_sane <= 1'b1;
      lines_due <= '0;
    end else begin
      if (start) is_started <= 1'b1;
      is_running <= (is_running || start) && !fail_doorbell && !fail_bus && !is_stopped;
      if (is_started && issued - reaped <= Size
          && issued - reaped < issued - furthest) furthest <= reaped;
      used <= issued - reaped;
      is_reaped_sane <= used <= Size;
      if (rd_req_valid && rd_req_ready) lines_due <= rd_req_lines;
      else if (rd_rsp_valid) lines_due <= lines_due - 8'd1;
    end
  end

  always @(posedge clk) begin
    assume (is_begun || !rst_n);
    if (!rst_n) assume (taken == '0 && settled == '0 && issued == '0);
    if (rst_n) begin
      assume (!start || !is_started && tail == '0 && reaped == '0);
      assume (is_started || start || tail == '0 && reaped == '0);
      assume (taken - was_taken <= fetched - was_taken);
      assume (settled - was_settled <= Size && issued - was_issued <= Size);
      assume (settled + issued - was_both <= taken - was_both);
      assume (!rd_rsp_valid || lines_due != '0);
      assume (rd_rsp_last == (lines_due == 8'd1));
      slots_reserved: assert (asked - settled - furthest <= Size);
      mailbox_holds: assert (asked - taken <= CORE_WINDOWS_MAILBOX_SLOTS);
      fetched_were_asked: assert (asked - fetched <= 32'(CORE_WINDOWS_MAILBOX_SLOTS));
    end
  end

endmodule : fetch_props
