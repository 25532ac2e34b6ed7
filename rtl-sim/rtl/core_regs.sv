// The register page of the card towards its core: positions, settings, capabilities, wake.
//
// Under `core_bus`, beside the engines whose positions it shows and keeps. A load has no side
// effect; a store does what its position or word says. A position that makes no sense fails the
// card: only broken firmware stores one.
// Invariant: WAKE is set after whatever is new can be seen, so a core that clears it and then looks
// misses nothing.

module core_regs
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
#(
    parameter int unsigned RINGS = COMMAND_RINGS_DEFAULT  // command rings, 1 to 8
) (
    input  logic                   clk,
    input  logic                   rst_n,
    // The bus: one access; a load's word stands in the same clock.
    input  logic [11:0]            offset,
    input  logic                   is_store,
    input  logic [31:0]            store_value,
    output logic [31:0]            load_value,
    output logic                   is_readable,
    output logic                   is_writable,
    // What does not change while the firmware runs.
    input  logic [15:0][31:0]      capabilities,     // in the order of the registers
    input  logic [3:0][31:0]       settings,         // in the order of the registers
    input  logic [15:0][15:0]      port_vlans,
    input  logic                   trace_on,
    input  logic [31:0]            now_ms,
    input  logic [31:0]            now_cycles,
    // Rings.
    input  logic [RINGS-1:0]       ring_shown,       // started, or below one that was
    input  logic [RINGS-1:0]       ring_running,
    input  logic [RINGS-1:0]       ring_failed,
    input  logic [RINGS-1:0][31:0] fetched,
    output logic [RINGS-1:0][31:0] taken,
    output logic [RINGS-1:0][31:0] settled,
    output logic [RINGS-1:0]       set_list_low,
    output logic [RINGS-1:0]       set_list_high,
    output logic [RINGS-1:0]       set_list_entries,
    output logic [RINGS-1:0]       set_list_asked,
    input  logic [RINGS-1:0][31:0] list_answered,
    input  logic [RINGS-1:0]       list_refused,
    // Outbox, events, notices, trace.
    output logic [31:0]            outbox_filled,
    input  logic [31:0]            outbox_taken,
    input  logic [31:0]            event_limit,
    input  logic [31:0]            notice_left,
    output logic [31:0]            notice_taken,
    output logic                   set_trace_filled,
    // Fence.
    output logic                   raise_valid,      // pulse, with raise_epoch
    output logic [31:0]            raise_epoch,
    input  logic [31:0]            announced,
    // Health.
    output logic                   has_beaten,       // pulse, with heartbeat
    output logic [31:0]            heartbeat,
    output logic                   fail_valid,       // pulse, with what stands beside it
    output logic [31:0]            fail_code,
    output logic [31:0]            fail_pc,
    output logic [31:0]            fail_cause,
    output logic                   nonsense,         // pulse
    // Counters.
    output logic                   count_valid,      // pulse, with count_number and store_value
    output counter_t               count_number,
    // Something is new.
    input  logic                   news,             // pulse
    output logic                   wake
);

  // Ring banks begin here.
  localparam logic [11:0] BANKS = REG_MAIL_FILLED[11:0];

  logic [2:0] ring;
  logic [5:0] of;  // byte within the bank
  logic is_bank;
  logic is_own_ring;
  assign ring = offset[8:6];
  assign of = offset[5:0];
  assign is_bank = offset >= BANKS && offset < BANKS + 12'(8 * CORE_RING_BANK_STRIDE);
  assign is_own_ring = {1'b0, ring} < 4'(RINGS);

  // ---- loads ------------------------------------------------------------------------------------
  logic [RINGS-1:0] pending;
  logic [RINGS-1:0] stopped;
  logic [7:0][31:0] mail_filled;
  logic [7:0][31:0] answered;
  logic [7:0] refused;

  always_comb begin
    mail_filled = '0;
    answered    = '0;
    refused     = '1;
    for (int unsigned r = 0; r < RINGS; r++) begin
      mail_filled[r] = ring_running[r] ? fetched[r] : taken[r];
      answered[r]    = list_answered[r];
      refused[r]     = list_refused[r];
    end
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      pending <= '0;
      stopped <= '0;
    end else begin
      for (int unsigned r = 0; r < RINGS; r++) begin
        stopped[r] <= ring_shown[r] && ring_failed[r];
        pending[r] <= ring_shown[r] &&
            (ring_failed[r] || ring_running[r] && fetched[r] != taken[r]);
      end
    end
  end

  always_comb begin
    load_value  = '0;
    is_readable = offset[1:0] == '0;
    if (is_bank) begin
      unique case (of)
        REG_MAIL_FILLED[5:0]: load_value = mail_filled[ring];
        REG_LIST_ANSWERED[5:0]: load_value = answered[ring];
        REG_LIST_REFUSED[5:0]: load_value = 32'(refused[ring]);
        default: is_readable = 1'b0;
      endcase
    end else if (offset < REG_CORE_GENERATION_SEED[11:0]) begin
      load_value = capabilities[offset[5:2]];
    end else if (offset >= REG_CORE_PORT_VLAN[11:0] &&
                 offset < REG_CORE_PORT_VLAN[11:0] + 12'(4 * LIMIT_PORT_VLANS_MAX)) begin
      load_value = 32'(port_vlans[offset[5:2]]);
    end else begin
      unique case (offset)
        REG_CORE_GENERATION_SEED[11:0], REG_CORE_GRACE_MS[11:0], REG_CORE_STALE_MS[11:0],
            REG_CORE_PORT_VLANS[11:0]: load_value = settings[offset[3:2]];
        REG_WAKE[11:0]: load_value = 32'(wake);
        REG_PENDING[11:0]: load_value = 32'(pending);
        REG_STOPPED[11:0]: load_value = 32'(stopped);
        REG_CORE_TIME_MS[11:0]: load_value = now_ms;
        REG_CORE_CYCLES[11:0]: load_value = now_cycles;
        REG_ANNOUNCED[11:0]: load_value = announced;
        REG_EVENT_LIMIT[11:0]: load_value = event_limit;
        REG_OUTBOX_TAKEN[11:0]: load_value = outbox_taken;
        REG_NOTICE_LEFT[11:0]: load_value = notice_left;
        REG_CORE_TRACE_ON[11:0]: load_value = 32'(trace_on);
        default: is_readable = 1'b0;
      endcase
    end
  end

  // ---- stores -----------------------------------------------------------------------------------
  logic is_count;
  assign is_count = offset >= REG_CORE_COUNT[11:0] &&
      offset < REG_CORE_COUNT[11:0] + 12'(4 * COUNTERS);
  assign count_number = offset[6:2];

  always_comb begin
    is_writable = offset[1:0] == '0;
    if (is_bank) begin
      unique case (of)
        REG_MAIL_TAKEN[5:0], REG_SETTLED[5:0], REG_LIST_LOW[5:0], REG_LIST_HIGH[5:0],
            REG_LIST_ENTRIES[5:0], REG_LIST_ASKED[5:0]: ;
        default: is_writable = 1'b0;
      endcase
    end else begin
      unique case (offset)
        REG_WAKE[11:0], REG_RAISED[11:0], REG_OUTBOX_FILLED[11:0], REG_NOTICE_TAKEN[11:0],
            REG_CORE_TRACE_FILLED[11:0], REG_CORE_HEARTBEAT[11:0], REG_CORE_FAIL_PC[11:0],
            REG_CORE_FAIL_CAUSE[11:0], REG_CORE_FAIL[11:0]: ;
        default: if (!is_count) is_writable = 1'b0;
      endcase
    end
  end

  logic is_page_store;
  assign is_page_store = is_store && is_writable && !is_bank;
  assign count_valid = is_page_store && is_count;
  assign set_trace_filled = is_page_store && offset == REG_CORE_TRACE_FILLED[11:0];

  for (genvar r = 0; r < RINGS; r++) begin : g_ring
    logic is_ring_store;
    assign is_ring_store = is_store && is_writable && is_bank && is_own_ring && ring == 3'(r);
    assign set_list_low[r] = is_ring_store && of == REG_LIST_LOW[5:0];
    assign set_list_high[r] = is_ring_store && of == REG_LIST_HIGH[5:0];
    assign set_list_entries[r] = is_ring_store && of == REG_LIST_ENTRIES[5:0];
    assign set_list_asked[r] = is_ring_store && of == REG_LIST_ASKED[5:0];

    always_ff @(posedge clk) begin
      if (!rst_n) begin
        taken[r]   <= '0;
        settled[r] <= '0;
      end else begin
        if (is_ring_store && of == REG_MAIL_TAKEN[5:0]) taken[r] <= store_value;
        if (is_ring_store && of == REG_SETTLED[5:0]) settled[r] <= store_value;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      wake          <= 1'b0;
      outbox_filled <= '0;
      notice_taken  <= '0;
      raise_valid   <= 1'b0;
      raise_epoch   <= '0;
      has_beaten    <= 1'b0;
      heartbeat     <= '0;
      fail_valid    <= 1'b0;
      fail_code     <= '0;
      fail_pc       <= '0;
      fail_cause    <= '0;
    end else begin
      raise_valid <= 1'b0;
      has_beaten  <= 1'b0;
      fail_valid  <= 1'b0;
      if (is_page_store) begin
        unique case (offset)
          REG_WAKE[11:0]: wake <= store_value != '0;
          REG_OUTBOX_FILLED[11:0]: outbox_filled <= store_value;
          REG_NOTICE_TAKEN[11:0]: notice_taken <= store_value;
          REG_RAISED[11:0]: begin
            raise_valid <= 1'b1;
            raise_epoch <= store_value;
          end
          REG_CORE_HEARTBEAT[11:0]: begin
            has_beaten <= 1'b1;
            heartbeat  <= store_value;
          end
          REG_CORE_FAIL_PC[11:0]: fail_pc <= store_value;
          REG_CORE_FAIL_CAUSE[11:0]: fail_cause <= store_value;
          REG_CORE_FAIL[11:0]: begin
            fail_valid <= 1'b1;
            fail_code  <= store_value;
          end
          default: ;
        endcase
      end
      if (news) wake <= 1'b1;
    end
  end

  // ---- positions that make no sense -------------------------------------------------------------
  // Judged a clock after they were stored, against what they were before.
  logic [RINGS-1:0][31:0] taken_before;
  logic [RINGS-1:0][31:0] settled_before;
  logic [31:0] notice_before;
  logic [RINGS-1:0] is_odd;
  logic is_odd_notice;
  logic is_odd_outbox;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      taken_before   <= '0;
      settled_before <= '0;
      notice_before  <= '0;
      is_odd         <= '0;
      is_odd_notice  <= 1'b0;
      is_odd_outbox  <= 1'b0;
      nonsense       <= 1'b0;
    end else begin
      taken_before   <= taken;
      settled_before <= settled;
      notice_before  <= notice_taken;
      for (int unsigned r = 0; r < RINGS; r++) begin
        is_odd[r] <= settled[r] - settled_before[r] > CORE_WINDOWS_MAILBOX_SLOTS ||
            ring_running[r] && taken[r] - taken_before[r] > fetched[r] - taken_before[r];
      end
      is_odd_notice <= notice_taken - notice_before > notice_left - notice_before;
      is_odd_outbox <= outbox_filled - outbox_taken > CORE_WINDOWS_OUTBOX_ENTRIES;
      nonsense      <= is_odd != '0 || is_odd_notice || is_odd_outbox;
    end
  end

  // The order of `capabilities` and `settings` is that of the registers.
  if (REG_CORE_PORT_MAC_HIGH != 32'h3c || REG_CORE_GENERATION_SEED != 32'h40 ||
      REG_CORE_PORT_VLANS != 32'h4c) begin : g_order
    $error("the core's register page was laid out anew");
  end

endmodule : core_regs
