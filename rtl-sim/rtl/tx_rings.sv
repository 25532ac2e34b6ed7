// The transmit rings as the host started them: where they lie, whether they are served.
//
// Takes RING_START; collects what stops a ring, and tells `csr` once, one ring a clock. Beside `tx_fetch` and `tx_cpl`,
// which serve them.
// Invariant: a ring that has failed is not served in the next clock, whatever `csr` still shows.

module tx_rings
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned TRANSMIT_RINGS = 2
) (
    input  logic                            clk,
    input  logic                            rst_n,
    input  logic [TRANSMIT_RINGS-1:0]       ring_start,
    input  logic [63:0]                     ring_base,
    input  logic [4:0]                      ring_log2,
    input  logic [TRANSMIT_RINGS-1:0]       ring_running,
    // Why one has to stop, from whoever finds out.
    input  logic [TRANSMIT_RINGS-1:0]       bad_doorbell,
    input  logic [TRANSMIT_RINGS-1:0]       bus_error,
    output logic [TRANSMIT_RINGS-1:0]       is_served,
    output line_t [TRANSMIT_RINGS-1:0]      base,
    output logic [TRANSMIT_RINGS-1:0][4:0]  log2,
    output logic [TRANSMIT_RINGS-1:0]       ring_fail,
    output logic [31:0]                     ring_fail_code,
    output logic                            count_doorbell
);

  logic [TRANSMIT_RINGS-1:0] is_started;
  logic [TRANSMIT_RINGS-1:0] is_running;
  // Failures that are still to be told, and whether it was a doorbell.
  logic [TRANSMIT_RINGS-1:0] has_failed;
  logic [TRANSMIT_RINGS-1:0] by_doorbell;
  logic [TRANSMIT_RINGS-1:0] tells;

  assign is_served = is_started & is_running;
  // The lowest.
  assign tells = has_failed & (~has_failed + 1'b1);

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      is_started <= '0;
      is_running <= '0;
      base <= '0;
      log2 <= '0;
      ring_fail <= '0;
      ring_fail_code <= '0;
      has_failed <= '0;
      by_doorbell <= '0;
      count_doorbell <= 1'b0;
    end else begin
      is_running <= ring_running;
      ring_fail <= tells;
      ring_fail_code <= (tells & by_doorbell) != '0 ? FAIL_CODE_DOORBELL : FAIL_CODE_RING_BUS;
      count_doorbell <= (tells & by_doorbell) != '0;
      has_failed <= has_failed & ~tells;
      for (int unsigned ring = 0; ring < TRANSMIT_RINGS; ring++) begin
        if (ring_start[ring]) begin
          is_started[ring] <= 1'b1;
          base[ring] <= ring_base[63:6];
          log2[ring] <= ring_log2;
        end else if (is_served[ring] && (bad_doorbell[ring] || bus_error[ring])) begin
          is_started[ring]  <= 1'b0;
          has_failed[ring]  <= 1'b1;
          by_doorbell[ring] <= bad_doorbell[ring];
        end
      end
    end
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      assert (ring_start == '0 || ring_base[5:0] == '0)
      else $error("a ring is started that is not aligned");
    end
  end
`endif

endmodule : tx_rings
