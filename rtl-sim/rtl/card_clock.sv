// The card's time: cycles since power-on, milliseconds, and a tick every 50 microseconds.
//
// For everything that stamps or waits. Milliseconds are whole thousands of the clock's kHz, so they
// are the cycles divided by `cap_clock_khz` without a divider.

module card_clock (
    input  logic        clk,
    input  logic        rst_n,
    input  logic [31:0] cap_clock_khz,  // 1 or more
    output logic [63:0] now_cycles,
    output logic [31:0] now_ms,
    output logic        ms_tick,        // pulse, with a new now_ms
    output logic        quantum_tick    // pulse, 20 a millisecond
);

  localparam logic [32:0] QUANTA_A_MS = 33'd20;

  logic [31:0] left;  // clocks of this millisecond, less 1
  logic [32:0] quanta;  // twentieths of clocks

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      now_cycles   <= '0;
      now_ms       <= '0;
      ms_tick      <= 1'b0;
      left         <= cap_clock_khz - 32'd1;
      quanta       <= '0;
      quantum_tick <= 1'b0;
    end else begin
      now_cycles   <= now_cycles + 64'd1;
      ms_tick      <= left == '0;
      left         <= left == '0 ? cap_clock_khz - 32'd1 : left - 32'd1;
      now_ms       <= now_ms + 32'(left == '0);
      quantum_tick <= quanta + QUANTA_A_MS >= {1'b0, cap_clock_khz};
      quanta       <= quanta + QUANTA_A_MS >= {1'b0, cap_clock_khz} ?
          quanta + QUANTA_A_MS - {1'b0, cap_clock_khz} : quanta + QUANTA_A_MS;
    end
  end

endmodule : card_clock
