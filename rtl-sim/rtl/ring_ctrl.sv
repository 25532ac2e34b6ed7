// Carries out RING_START and ENABLE, and keeps what every ring's state is.
//
// Between the host's cells (what it wrote into banks and settings) and the engines. A ring's
// configuration is read, judged and, if it makes sense, given to the engine that serves it; one
// that makes none fails that ring. ENABLE takes the settings to where the firmware reads them. It
// takes some clocks, and the host's next access waits for it.
// Invariant: a ring runs only after a configuration that was judged, and once between two resets.

module ring_ctrl
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
(
    input  logic                      clk,
    input  logic                      rst_n,
    input  logic                      reset,              // a reset: every ring is stopped
    input  logic                      is_open,
    input  logic [31:0]               cap_command_rings,
    input  logic [31:0]               cap_transmit_rings,
    input  logic [31:0]               cap_ring_slots,
    input  logic [31:0]               cap_vectors,
    input  logic [31:0]               cap_clock_khz,
    // Orders, one at a time.
    input  logic                      start,              // RING_START of start_number
    input  logic [4:0]                start_number,
    input  logic                      enable,             // ENABLE
    output logic                      is_busy,
    output logic                      is_enabled,         // pulse: the settings are taken
    // The host's cells: the word stands a clock after its address.
    output logic [9:0]                cell_word,
    input  logic [31:0]               cell_value,
    output logic [3:0][31:0]          settings,
    output logic [15:0][15:0]         port_vlans,
    // A ring that was started.
    output logic [BAR_RINGS-1:0]      ring_start,         // pulse, one bit a ring
    output line_t                     ring_base,
    output line_t                     ring_cpl_base,
    output logic [4:0]                ring_log2,
    output logic [31:0]               ring_vector,
    output logic [31:0]               ring_moderation,    // cycles
    // States.
    input  logic [BAR_RINGS-1:0]      fail_doorbell,      // pulses: the ring has to stop
    input  logic [BAR_RINGS-1:0]      fail_bus,
    output logic [BAR_RINGS-1:0]      ring_running,
    output logic [BAR_RINGS-1:0]      ring_failed,
    output logic [7:0]                ring_shown,         // commands: up to the last started
    // As their registers show them.
    output logic [BAR_RINGS-1:0][31:0] ring_state,
    output logic [BAR_RINGS-1:0][31:0] ring_error
);

  localparam int unsigned RINGS = BAR_RINGS;
  // Cells of a bank that are read, and where they stand in `bank`.
  localparam int unsigned BASE_LOW = 0;
  localparam int unsigned BASE_HIGH = 1;
  localparam int unsigned CPL_LOW = 2;
  localparam int unsigned CPL_HIGH = 3;
  localparam int unsigned SLOTS_LOG2 = 4;
  localparam int unsigned VECTOR = 5;
  localparam int unsigned MODERATION_US = 6;
  localparam int unsigned BANK_CELLS = 7;
  // Settings that are read: four, then the VLANs.
  localparam logic [5:0] SETTINGS_CELLS = 6'(4 + LIMIT_PORT_VLANS_MAX);
  localparam logic [5:0] MULTIPLY_LAST = 6'd31;
  localparam logic [5:0] DIVIDE_LAST = 6'd63;
  localparam logic [10:0] US_A_MS = 11'd1000;

  typedef enum logic [2:0] {
    IDLE,
    BANK,      // reads the bank
    JUDGE,
    MULTIPLY,  // moderation: microseconds times kHz …
    DIVIDE,    // … by a thousand, rounded up
    DECIDE,
    SETTINGS   // reads the settings
  } step_e;

  step_e step;
  logic [4:0] number;
  logic [5:0] count;
  logic [BANK_CELLS-1:0][31:0] bank;

  assign is_busy = step != IDLE;

  // ---- cells: the word of `count` is here when count is one more --------------------------------
  always_comb begin
    cell_word = 10'(REG_RING_BASE_LOW / 4) + {1'b0, number, 4'd0} + 10'(count);
    if (step == SETTINGS) begin
      cell_word = count < 6'd4 ? 10'(REG_GENERATION_SEED / 4) + 10'(count) :
          10'(REG_PORT_VLAN / 4) + 10'(count) - 10'd4;
    end
  end

  // ---- whether a bank makes sense ---------------------------------------------------------------
  logic is_command, is_transmit, is_event;
  logic [31:0] slots;
  logic [63:0] base_bytes, cpl_bytes;
  logic is_sane;
  assign is_command = 32'(number) < BAR_TRANSMIT_RING_FIRST && 32'(number) < cap_command_rings;
  assign is_transmit = 32'(number) >= BAR_TRANSMIT_RING_FIRST &&
      32'(number) < BAR_TRANSMIT_RING_FIRST + cap_transmit_rings;
  assign is_event = 32'(number) == BAR_EVENT_RING;
  assign slots = 32'd1 << bank[SLOTS_LOG2][4:0];
  assign base_bytes = is_command ? 64'(slots) << $clog2(LIMIT_SLOT_BYTES) :
      64'(slots) << $clog2(TRANSMIT_DESCRIPTOR_BYTES);
  assign cpl_bytes = 64'(slots) << $clog2(COMPLETION_BYTES);

  // Aligned, and its end is an address.
  function automatic logic fits(input logic [63:0] start_at, input logic [63:0] bytes);
    return start_at[5:0] == '0 && start_at <= ~bytes;
  endfunction

  always_ff @(posedge clk) begin
    is_sane <= (is_command || is_transmit || is_event) && bank[SLOTS_LOG2] < 32'd32 &&
        slots >= LIMIT_RING_SLOTS_MIN && slots <= LIMIT_RING_SLOTS_MAX && slots <= cap_ring_slots &&
        (is_event || fits({bank[BASE_HIGH], bank[BASE_LOW]}, base_bytes)) &&
        fits({bank[CPL_HIGH], bank[CPL_LOW]}, cpl_bytes) &&
        (bank[VECTOR] == BAR_VECTOR_NONE || bank[VECTOR] < cap_vectors);
  end

  // ---- moderation, bit by bit -------------------------------------------------------------------
  logic [63:0] product;
  logic [63:0] quotient;
  logic [9:0] rest;
  logic [10:0] rest_next;
  assign rest_next = {rest, product[63]};

  always_ff @(posedge clk) begin
    unique case (step)
      BANK: begin
        product  <= '0;
        quotient <= '0;
        rest     <= '0;
      end
      MULTIPLY: begin
        product <= (product << 1) +
            (bank[MODERATION_US][~count[4:0]] ? 64'(cap_clock_khz) : 64'd0) +
            (count == MULTIPLY_LAST ? 64'(US_A_MS - 11'd1) : 64'd0);
      end
      DIVIDE: begin
        product  <= product << 1;
        quotient <= {quotient[62:0], rest_next >= US_A_MS};
        rest     <= rest_next >= US_A_MS ? 10'(rest_next - US_A_MS) : rest_next[9:0];
      end
      default: ;
    endcase
  end

  // ---- the steps --------------------------------------------------------------------------------
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      step       <= IDLE;
      number     <= '0;
      count      <= '0;
      is_enabled <= 1'b0;
      bank       <= '0;
      settings   <= '0;
      port_vlans <= '0;
    end else begin
      is_enabled <= 1'b0;
      count      <= count + 6'd1;
      unique case (step)
        IDLE: begin
          number <= start_number;
          count  <= '0;
          if (start) step <= BANK;
          if (enable) step <= SETTINGS;
        end
        BANK: begin
          for (int unsigned i = 0; i < BANK_CELLS; i++) begin
            if (count == 6'(i + 1)) bank[i] <= cell_value;
          end
          if (count == 6'(BANK_CELLS)) step <= JUDGE;
        end
        JUDGE: begin
          count <= '0;
          step  <= MULTIPLY;
        end
        MULTIPLY: begin
          if (count == MULTIPLY_LAST) begin
            count <= '0;
            step  <= DIVIDE;
          end
        end
        DIVIDE: if (count == DIVIDE_LAST) step <= DECIDE;
        SETTINGS: begin
          for (int unsigned i = 0; i < 4; i++) begin
            if (count == 6'(i + 1)) settings[i] <= cell_value;
          end
          if (count == 6'd4 && cell_value > LIMIT_PORT_VLANS_MAX) begin
            settings[3] <= LIMIT_PORT_VLANS_MAX;
          end
          for (int unsigned i = 0; i < 16; i++) begin
            if (count == 6'(i + 5)) port_vlans[i] <= cell_value[15:0];
          end
          if (count == SETTINGS_CELLS) begin
            step       <= IDLE;
            is_enabled <= 1'b1;
          end
        end
        default: step <= IDLE;
      endcase
    end
  end

  // ---- states -----------------------------------------------------------------------------------
  logic is_decided;
  logic [RINGS-1:0][3:0] error;
  always_comb begin
    for (int unsigned r = 0; r < RINGS; r++) begin
      ring_state[r] = ring_running[r] ? RING_STATE_RUNNING : RING_STATE_STOPPED;
      if (ring_failed[r]) ring_state[r] = RING_STATE_FAILED;
      ring_error[r] = 32'(error[r]);
    end
  end

  assign is_decided = step == DECIDE && is_open && !ring_running[number] && !ring_failed[number];

  always_ff @(posedge clk) begin
    ring_base       <= {bank[BASE_HIGH], bank[BASE_LOW][31:6]};
    ring_cpl_base   <= {bank[CPL_HIGH], bank[CPL_LOW][31:6]};
    ring_log2       <= bank[SLOTS_LOG2][4:0];
    ring_vector     <= bank[VECTOR];
    ring_moderation <= quotient[63:32] != '0 ? '1 : quotient[31:0];
  end

  always_ff @(posedge clk) begin
    if (!rst_n || reset) begin
      ring_start   <= '0;
      ring_running <= '0;
      ring_failed  <= '0;
      error        <= '0;
      ring_shown   <= '0;
    end else begin
      ring_start <= '0;
      ring_start[number] <= is_decided && is_sane;
      ring_running <= (ring_running | ring_start) & ~(fail_doorbell | fail_bus);
      for (int unsigned r = 0; r < RINGS; r++) begin
        if (ring_running[r] && (fail_doorbell[r] || fail_bus[r])) begin
          ring_failed[r] <= 1'b1;
          error[r]       <= fail_doorbell[r] ? FAIL_CODE_DOORBELL[3:0] : FAIL_CODE_RING_BUS[3:0];
        end
      end
      for (int unsigned r = 0; r < 8; r++) begin
        if (ring_start[r]) ring_shown <= ring_shown | 8'((2 << r) - 1);
      end
      if (is_decided && !is_sane) begin
        ring_failed[number] <= 1'b1;
        error[number]       <= FAIL_CODE_RING_CONFIG[3:0];
      end
    end
  end

endmodule : ring_ctrl
