// The card's state: reset, ready, failed; who watches; what a reset does, step by step.
//
//   power-on -> [SETTLE] -> [CLEAR] -> RESET --ENABLE--> [START] --first beat--> READY
//                             ^                             |                       | a failure
//                             |     RESET or FLR            +----> FAILED <---------+
//                             +---- [DRAIN] <---- any
//
// A reset stops everything that starts DMA, waits until nothing is outstanding (within a bound,
// else the card is failed), clears tables and positions, and then counts the incarnation up. The
// first failure stays on record until then. ENABLE starts the firmware; the card is ready when it
// has beaten for the first time, so firmware that refuses the card is never seen ready. The
// watchdog looks once a millisecond: at the fence, and at the firmware's heartbeat.
// Invariant: `is_open` only in READY; the incarnation moves only when nothing is outstanding.

module health
  import offload_abi_pkg::*;
(
    input  logic        clk,
    input  logic        rst_n,
    // Orders.
    input  logic        order_reset,     // pulse
    input  logic        flr,             // level; its rise is the order
    output logic        flr_done,        // level: what it asked for is over, until it falls
    input  logic        is_enabled,      // pulse: ENABLE, and the settings are taken
    input  logic        caps_fit,        // the straps ask for no more than there is
    // Whether anything is outstanding.
    input  logic        is_quiet,
    // Clearing: a counter for every memory that is cleared.
    output logic        is_open,         // ready: DMA may begin
    output logic        core_on,         // the firmware runs
    output logic        soft_rst,        // engines and datapath as after power-on
    output logic        is_cold,         // this clearing is that of power-on
    output logic [15:0] clear_at,
    output logic        clear,           // clear_at counts
    input  logic [15:0] table_rows,
    input  logic        is_cleared,      // the datapath's memories
    // Failures: pulses, with what stands beside them.
    input  logic        core_fail_valid,
    input  logic [31:0] core_fail_code,
    input  logic [31:0] core_fail_pc,
    input  logic [31:0] core_fail_cause,
    input  logic        nonsense,
    input  logic        datapath_fail_valid,
    input  logic [31:0] datapath_fail_code,
    input  logic [31:0] datapath_fail_cause,
    input  logic        rd_is_stuck,     // levels: a bus that does not answer
    input  logic        wr_is_stuck,
    // The watchdog's.
    input  logic        ms_tick,
    input  logic        has_beaten,
    input  logic [31:0] raised,
    input  logic [31:0] announced,
    // Registers.
    output logic [31:0] card_state,
    output logic [31:0] fail_code,
    output logic [31:0] fail_pc,
    output logic [31:0] fail_cause,
    output logic [31:0] incarnation
);

  // Where the straps' sums have settled, and every small memory is cleared.
  localparam logic [15:0] SETTLE_LAST = 16'd63;
  localparam logic [15:0] CLEAR_LEAST = 16'd2047;
  // What a store that makes no sense is: a store access fault (RISC-V Volume II, mcause).
  localparam logic [31:0] CAUSE_STORE_FAULT = 32'd7;
  // FAIL_CAUSE with FAIL_CODE_BUS: which direction of DMA was not answered.
  localparam logic [31:0] CAUSE_READS = 32'd1;
  localparam logic [31:0] CAUSE_WRITES = 32'd2;
  // Clocks in which what left its engine reaches the counts that say whether all is quiet.
  localparam logic [4:0] QUIET_CLOCKS = 5'd16;

  typedef enum logic [2:0] {
    SETTLE,
    CLEAR,
    RESET,
    START,
    READY,
    FAILED,
    DRAIN
  } step_e;

  step_e step;
  logic is_asked;  // a reset waits for the one under way
  logic had_flr;
  logic [31:0] shown;  // what the host saw when the reset came
  logic [15:0] drained_ms;
  logic [4:0] quiet_for;
  logic is_order;

  assign is_order = order_reset || flr && !had_flr;
  // A reset that could not drain is over, too: the card is failed.
  assign flr_done = flr && had_flr && !is_asked && !(step inside {SETTLE, CLEAR, DRAIN});
  assign is_open  = step == READY;
  assign core_on  = step == START || step == READY;
  assign clear    = step == CLEAR;

  // ---- the watchdog -----------------------------------------------------------------------------
  logic [15:0] fence_ms;
  logic [15:0] silent_ms;
  logic [31:0] announced_before;
  logic beats;
  logic is_fence_late, is_silent;

  always_ff @(posedge clk) begin
    if (!rst_n || !core_on) begin
      fence_ms         <= '0;
      silent_ms        <= '0;
      announced_before <= '0;
      beats            <= 1'b0;
      is_fence_late    <= 1'b0;
      is_silent        <= 1'b0;
    end else begin
      beats <= (beats && !ms_tick) || has_beaten;
      if (ms_tick) begin
        announced_before <= announced;
        fence_ms         <= raised != announced && announced == announced_before ?
            fence_ms + 16'd1 : '0;
        silent_ms        <= beats ? '0 : silent_ms + 16'd1;
      end
      is_fence_late <= 32'(fence_ms) > LIMIT_FENCE_DEADLINE_MS;
      is_silent     <= 32'(silent_ms) > LIMIT_HEARTBEAT_DEADLINE_MS;
    end
  end

  // ---- failures: one is taken -------------------------------------------------------------------
  logic is_failing;
  logic [31:0] code, pc, cause;

  always_comb begin
    is_failing = core_fail_valid || nonsense || datapath_fail_valid || is_fence_late ||
        is_silent || rd_is_stuck || wr_is_stuck;
    code       = FAIL_CODE_HEARTBEAT;
    pc         = '0;
    cause      = '0;
    if (core_fail_valid) begin
      code  = core_fail_code;
      pc    = core_fail_pc;
      cause = core_fail_cause;
    end else if (datapath_fail_valid) begin
      code  = datapath_fail_code;
      cause = datapath_fail_cause;
    end else if (nonsense) begin
      code  = FAIL_CODE_TRAP;
      cause = CAUSE_STORE_FAULT;
    end else if (rd_is_stuck || wr_is_stuck) begin
      code  = FAIL_CODE_BUS;
      cause = wr_is_stuck ? CAUSE_WRITES : CAUSE_READS;
    end else if (is_fence_late) begin
      code  = FAIL_CODE_FENCE;
      cause = raised;
    end
  end

  // ---- the steps --------------------------------------------------------------------------------
  logic is_all_clear;
  assign is_all_clear = clear_at >= table_rows && clear_at >= CLEAR_LEAST && is_cleared;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      step        <= SETTLE;
      is_asked    <= 1'b0;
      had_flr     <= 1'b0;
      shown       <= CARD_STATE_RESET;
      is_cold     <= 1'b1;
      soft_rst    <= 1'b1;
      clear_at    <= '0;
      drained_ms  <= '0;
      quiet_for   <= '0;
      fail_code   <= '0;
      fail_pc     <= '0;
      fail_cause  <= '0;
      incarnation <= '0;
    end else begin
      had_flr  <= flr;
      is_asked <= is_asked || is_order;
      clear_at <= clear_at + 16'd1;
      unique case (step)
        SETTLE: begin
          if (clear_at == SETTLE_LAST) begin
            step     <= CLEAR;
            clear_at <= '0;
          end
        end
        CLEAR: begin
          // Rows past the last are nobody's; the counter must not begin anew.
          if (clear_at == '1) clear_at <= '1;
          if (is_all_clear) begin
            step        <= RESET;
            soft_rst    <= 1'b0;
            is_cold     <= 1'b0;
            incarnation <= incarnation + 32'(!is_cold);
          end
        end
        DRAIN: begin
          quiet_for  <= !is_quiet ? '0 : quiet_for == QUIET_CLOCKS ? quiet_for : quiet_for + 5'd1;
          drained_ms <= drained_ms + 16'(ms_tick);
          if (quiet_for == QUIET_CLOCKS) begin
            step       <= CLEAR;
            soft_rst   <= 1'b1;
            clear_at   <= '0;
            fail_code  <= '0;
            fail_pc    <= '0;
            fail_cause <= '0;
          end else if (32'(drained_ms) > LIMIT_RESET_DEADLINE_MS) begin
            step       <= FAILED;
            fail_code  <= FAIL_CODE_DRAIN;
            fail_pc    <= '0;
            fail_cause <= '0;
          end
        end
        default: begin
          quiet_for  <= '0;
          drained_ms <= '0;
          if (is_asked) begin
            step     <= DRAIN;
            is_asked <= is_order;
            shown    <= card_state;
          end else if (step == RESET && is_enabled) begin
            step      <= caps_fit ? START : FAILED;
            fail_code <= caps_fit ? FAIL_CODE_NONE : FAIL_CODE_TABLE;
          end else if (core_on && is_failing) begin
            step       <= FAILED;
            fail_code  <= code;
            fail_pc    <= pc;
            fail_cause <= cause;
          end else if (step == START && has_beaten) begin
            step <= READY;
          end
        end
      endcase
    end
  end

  // While it drains, a card still shows what it was.
  always_comb begin
    unique case (step)
      READY: card_state = CARD_STATE_READY;
      FAILED: card_state = CARD_STATE_FAILED;
      DRAIN: card_state = shown;
      default: card_state = CARD_STATE_RESET;
    endcase
  end

endmodule : health
