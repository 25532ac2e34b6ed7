// BAR0: which cell an offset names, who may read or write it, and what a write sets going.
//
// Between the AXI4-Lite slave and everything that the host sees. What the host writes and reads
// back (settings, ring banks, doorbells) lies in one memory of cells; doorbells and the trace's
// switch stand in registers beside it, too. A wrong alignment or direction reads as zero or is
// ignored, and is counted. The MSI-X table is the wrapper's: its words read as zero here and take
// no writes. A write takes effect at once; a read is answered when the slowest memory has answered.
// RING_START, and what ENABLE takes, are dealt with before the next access begins. While memories are
// cleared, what the card is and how it fares is read as ever, and RESET is taken: the bus of a
// driver that waits for a reset does not wait with it. All else waits.

module csr
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
#(
    localparam int unsigned RINGS = BAR_RINGS
) (
    input  logic                    clk,
    input  logic                    rst_n,
    // The access.
    input  logic                    req_valid,
    input  logic                    req_store,
    input  logic                    req_is_odd,
    input  logic [13:0]             req_word,
    input  logic [31:0]             req_value,
    output logic                    rsp_valid,
    output logic [31:0]             rsp_value,
    output logic                    bad_access,      // pulse, to be counted
    // Clearing: all cells at power-on, the doorbells at every reset.
    input  logic                    soft_rst,
    input  logic                    clear,
    input  logic                    is_cold,
    input  logic [10:0]             clear_at,
    // Orders.
    output logic                    order_reset,     // pulse
    output logic                    order_enable,    // pulse
    output logic                    order_start,     // pulse, with order_ring
    output logic [4:0]              order_ring,
    input  logic                    is_busy,         // an order is carried out
    // The cells below the doorbells, for who carries out orders: a clock later.
    input  logic [9:0]              cell_word,
    output logic [31:0]             cell_value,
    // What is shown.
    input  logic [20:0][31:0]       constants,       // in the order of the registers
    input  logic [8:0][31:0]        health,          // in the order of the registers
    input  logic [RINGS-1:0][31:0]  ring_state,
    input  logic [RINGS-1:0][31:0]  ring_error,
    input  logic [RINGS-1:0][31:0]  ring_fetched,
    input  logic [RINGS-1:0][31:0]  ring_posted,
    input  logic [RINGS-1:0][31:0]  ring_held,
    output logic [RINGS-1:0][31:0]  doorbell_tail,
    output logic [RINGS-1:0][31:0]  doorbell_reaped,
    output logic                    trace_on,
    input  logic [2:0][31:0]        trace_filled,
    output logic [13:0]             trace_raddr,     // a clock later:
    input  logic [31:0]             trace_rdata,
    output counter_t                counter,         // three clocks later:
    input  logic [63:0]             counter_value
);

  // ---- the access under way ---------------------------------------------------------------------
  typedef enum logic [2:0] {
    IDLE,
    WAIT_1,
    WAIT_2,
    WAIT_3,
    WAIT_4,
    ANSWER
  } step_e;

  step_e step;
  logic is_begun;  // the first clock of an access: writes take effect in it
  logic [15:0] word_at;
  logic is_timely;  // needs no memory that is being cleared
  assign is_begun = step == IDLE && req_valid && !is_busy && (!soft_rst || is_timely) &&
      !rsp_valid;
  assign word_at  = {req_word, 2'd0};

  // ---- what the offset names --------------------------------------------------------------------
  localparam logic [15:0] RING_BANKS = REG_RING_BASE_LOW[15:0];
  localparam logic [15:0] RING_BANKS_END = RING_BANKS + 16'(RINGS * RING_BANK_STRIDE);

  function automatic logic is_between(input logic [15:0] at, input logic [31:0] start,
                                      input logic [31:0] bytes);
    return 32'(at) >= start && 32'(at) < start + bytes;
  endfunction

  logic in_trace, in_counters, in_doorbells, in_rings, in_msix, in_pending;
  logic is_setting, is_constant, is_health, is_trace_filled;
  logic [4:0] ring;
  logic [5:0] of;
  logic is_bank_cell;  // the host's own word of a bank
  logic is_bank_shown;  // the card's
  logic [10:0] bank_at;
  assign in_trace = is_between(word_at, TRACE_TRACE_PAGE, TRACE_TRACE_WRITERS * TRACE_TRACE_STRIDE);
  assign in_counters = is_between(word_at, BAR_COUNTER_PAGE, 8 * COUNTERS);
  assign in_doorbells = is_between(word_at, BAR_DOORBELL_PAGE, BAR_DOORBELL_PAGE_BYTES);
  assign in_rings = word_at >= RING_BANKS && word_at < RING_BANKS_END;
  // Entries of four words (PCI Express Base Specification, 7.7.2), and their pending bits.
  assign in_msix = is_between(word_at, BAR_MSIX_TABLE, 16 * LIMIT_VECTORS_MAX);
  assign in_pending = is_between(word_at, BAR_MSIX_PENDING, 32'd8);
  assign is_setting = is_between(word_at, REG_GENERATION_SEED, 32'd16) ||
      is_between(word_at, REG_PORT_VLAN, 4 * LIMIT_PORT_VLANS_MAX);
  assign is_constant = word_at <= REG_PORT_MAC_HIGH[15:0];
  assign is_health = word_at >= REG_STATE[15:0] && word_at <= REG_CYCLES_HIGH[15:0];
  assign is_trace_filled = is_between(word_at, REG_TRACE_FILLED, 4 * TRACE_TRACE_WRITERS);
  assign bank_at = 11'(word_at - RING_BANKS);
  assign ring = bank_at[10:6];
  assign of = bank_at[5:0];
  assign is_bank_cell = in_rings && of <= 6'(REG_RING_MODERATION_US - REG_RING_BASE_LOW);
  assign is_bank_shown = in_rings && of >= 6'(REG_RING_STATE - REG_RING_BASE_LOW) &&
      of <= 6'(REG_RING_HELD - REG_RING_BASE_LOW);

  logic is_start, is_reset, is_enable, is_trace;
  logic is_cell, is_readable, is_writable;
  assign is_start = in_rings && of == 6'(REG_RING_START - REG_RING_BASE_LOW);
  assign is_reset = word_at == REG_RESET[15:0];
  assign is_enable = word_at == REG_ENABLE[15:0];
  assign is_trace = word_at == REG_TRACE[15:0];
  assign is_cell = in_doorbells || is_setting || is_bank_cell || is_trace;
  assign is_readable = is_cell || in_trace || in_counters || is_bank_shown || in_msix ||
      in_pending || is_constant || is_health || is_trace_filled;
  assign is_writable = is_cell || is_start || in_msix || is_reset || is_enable;
  assign is_timely = req_is_odd || (req_store ? is_reset : is_constant || is_health);

  // ---- cells: settings and banks, then doorbells ------------------------------------------------
  logic [31:0] cells[2048];
  logic [10:0] cell_at;
  logic is_cell_write;
  logic is_cell_clear;
  logic [31:0] cell_found;
  assign is_cell_write = is_begun && req_store && !req_is_odd && is_cell;
  assign is_cell_clear = clear && (is_cold || clear_at[10]);
  assign cell_at = clear ? clear_at : {in_doorbells, word_at[11:2]};

  always_ff @(posedge clk) begin
    if (is_cell_clear || is_cell_write) cells[cell_at] <= clear ? '0 : req_value;
    cell_found <= cells[cell_at];
  end
  always_ff @(posedge clk) begin
    cell_value <= cells[{1'b0, cell_word}];
  end

  logic is_order;
  assign is_order = is_begun && req_store && !req_is_odd && req_value == 32'd1;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      doorbell_tail   <= '0;
      doorbell_reaped <= '0;
      trace_on        <= 1'b0;
      order_reset     <= 1'b0;
      order_enable    <= 1'b0;
      order_start     <= 1'b0;
      order_ring      <= '0;
      bad_access      <= 1'b0;
    end else begin
      order_reset  <= is_order && is_reset;
      order_enable <= is_order && is_enable;
      order_start  <= is_order && is_start;
      order_ring   <= ring;
      bad_access   <= is_begun && (req_is_odd || (req_store ? !is_writable : !is_readable));
      if (is_cell_write && is_trace) trace_on <= req_value != '0;
      for (int unsigned r = 0; r < RINGS; r++) begin
        if (is_cell_write && in_doorbells && word_at[11:6] == 6'(r)) begin
          if (word_at[5:2] == REG_DOORBELL_TAIL[5:2]) doorbell_tail[r] <= req_value;
          if (word_at[5:2] == REG_DOORBELL_REAPED[5:2]) doorbell_reaped[r] <= req_value;
        end
      end
      if (soft_rst) begin
        doorbell_tail   <= '0;
        doorbell_reaped <= '0;
      end
    end
  end

  // ---- the answer to a read, in two steps -------------------------------------------------------
  logic [31:0] of_ring;
  logic [31:0] of_page;
  logic [31:0] found;
  assign trace_raddr = 14'(word_at[15:2] - TRACE_TRACE_PAGE[15:2]);
  assign counter = word_at[7:3];

  always_ff @(posedge clk) begin
    unique case (of)
      6'(REG_RING_STATE - REG_RING_BASE_LOW): of_ring <= ring_state[ring];
      6'(REG_RING_ERROR - REG_RING_BASE_LOW): of_ring <= ring_error[ring];
      6'(REG_RING_FETCHED - REG_RING_BASE_LOW): of_ring <= ring_fetched[ring];
      6'(REG_RING_POSTED - REG_RING_BASE_LOW): of_ring <= ring_posted[ring];
      default: of_ring <= ring_held[ring];
    endcase
    of_page <= '0;
    if (is_constant) of_page <= constants[word_at[6:2]];
    if (is_health) of_page <= health[word_at[5:2]];
    if (is_trace_filled) of_page <= trace_filled[2'(word_at[5:2] - REG_TRACE_FILLED[5:2])];

    found <= of_page;
    if (is_cell) found <= cell_found;
    if (in_trace) found <= trace_rdata;
    if (in_counters) found <= word_at[2] ? counter_value[63:32] : counter_value[31:0];
    if (is_bank_shown) found <= of_ring;
    if (req_is_odd || !is_readable) found <= '0;
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      step      <= IDLE;
      rsp_valid <= 1'b0;
      rsp_value <= '0;
    end else begin
      rsp_valid <= 1'b0;
      unique case (step)
        IDLE: begin
          if (is_begun && req_store) rsp_valid <= 1'b1;
          if (is_begun && !req_store) step <= WAIT_1;
        end
        WAIT_1: step <= WAIT_2;
        WAIT_2: step <= WAIT_3;
        WAIT_3: step <= WAIT_4;
        WAIT_4: step <= ANSWER;
        default: begin
          step      <= IDLE;
          rsp_valid <= 1'b1;
          rsp_value <= found;
        end
      endcase
    end
  end

  if (REG_PORT_MAC_HIGH != 32'h50 || REG_CYCLES_HIGH - REG_STATE != 32'h20 ||
      REG_PORT_VLANS - REG_GENERATION_SEED != 32'hc) begin : g_order
    $error("the registers were laid out anew");
  end

endmodule : csr
