// A ring that is to stop stops for good, of `ring_ctrl`: one whose positions make no sense, or whose
// memory cannot be read or written, is failed in the next clock and runs no more until a reset; a ring
// is started once between two resets, only while the card is open, and is never failed and running.
//
// Assumed: an order comes when none is under way; no engine fails a ring in the clock in which it starts.

module ring_ctrl_props
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
(
    input logic clk,
    input logic rst_n,
    input logic reset,
    input logic is_open,
    input logic start,
    input logic [4:0] start_number,
    input logic enable,
    input logic [31:0] cell_value,
    input logic [BAR_RINGS-1:0] fail_doorbell,
    input logic [BAR_RINGS-1:0] fail_bus,
    input logic [4:0] any_ring
);

  logic is_busy;
  logic [BAR_RINGS-1:0] ring_start, ring_running, ring_failed;
  ring_ctrl u_dut (
      .clk, .rst_n, .reset, .is_open, .cap_command_rings(32'd4), .cap_transmit_rings(32'd2),
      .cap_ring_slots(LIMIT_RING_SLOTS_MAX), .cap_vectors(32'd8), .cap_clock_khz(32'd1000), .start,
      .start_number, .enable, .is_busy, .is_enabled(), .cell_word(), .cell_value, .settings(),
      .port_vlans(), .ring_start, .ring_base(), .ring_cpl_base(), .ring_log2(), .ring_vector(),
      .ring_moderation(), .fail_doorbell, .fail_bus, .ring_running, .ring_failed, .ring_shown(),
      .ring_state(), .ring_error()
  );

  logic is_begun = 1'b0;
  logic [4:0] ring;
  logic was_reset, had_to_stop, was_failed, was_open, was_started;
  always_ff @(posedge clk) begin
    is_begun <= 1'b1;
    if (!is_begun) ring <= any_ring;
    was_reset <= !rst_n || reset;
    had_to_stop <= rst_n && !reset && ring_running[ring] && (fail_doorbell[ring] || fail_bus[ring]);
    was_failed <= rst_n && !reset && ring_failed[ring];
    was_open <= is_open;
    if (!rst_n || reset) was_started <= 1'b0;
    else if (ring_start[ring]) was_started <= 1'b1;
  end

  always @(posedge clk) begin
    assume (is_begun || !rst_n);
    if (is_begun) assume (32'(ring) < 32'(BAR_RINGS));
    if (rst_n) begin
      assume (!(start || enable) || !is_busy);
      assume ((ring_start & (fail_doorbell | fail_bus)) == '0);
      assume (32'(start_number) < 32'(BAR_RINGS));
      if (was_reset) stopped_by_reset: assert (!ring_running[ring] && !ring_failed[ring]);
      if (had_to_stop) nonsense_fails_it: assert (ring_failed[ring] && !ring_running[ring]);
      if (was_failed) stays_failed: assert (ring_failed[ring]);
      never_both: assert (!(ring_failed[ring] && (ring_running[ring] || ring_start[ring])));
      if (ring_start[ring]) once: assert (!was_started && was_open);
      // Invariants.
      runs_if_started: assert (!ring_running[ring] || was_started);
      ended_if_not: assert (!was_started || ring_running[ring] || ring_failed[ring]);
      one_order: assert (32'(u_dut.number) < 32'(BAR_RINGS) && !(ring_start[ring] && is_busy));
    end
  end

endmodule : ring_ctrl_props
