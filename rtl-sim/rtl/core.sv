// The core with everything that its address map shows.
//
//   core <-> core_bus <-> RAM | core_regs | mailbox, lists, notices | table_ram -> datapath
//                               link_regs <-> link_engine <-> lists, table_ram
//
// Between the engines, which fill windows and read positions, and the firmware. What is new for the
// firmware ends its sleep; what it stores into tables is told to the datapath, and the fence that
// it raises comes behind them.
// Invariant: `raise_valid` is shown after every table store that came before it.

module core
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
#(
    parameter int unsigned NEIGHBORS = NEIGHBORS_DEFAULT,
    parameter int unsigned PATHS = PATHS_DEFAULT,
    parameter int unsigned CONNECTIONS = CONNECTIONS_DEFAULT,
    parameter int unsigned ALIASES = ALIASES_DEFAULT,
    parameter int unsigned SOURCE_MACS = SOURCE_MACS_DEFAULT,
    parameter int unsigned RINGS = COMMAND_RINGS_DEFAULT,  // command rings, 1 to 8
    parameter IMAGE = ""  // the firmware, a hex file
) (
    input  logic                   clk,
    input  logic                   rst_n,            // of the card
    input  logic                   eng_rst_n,        // of the engines: of a card's reset, too
    input  logic                   core_rst_n,       // of the core: while the card is not ready
    input  logic                   clear,            // table memory, row by row
    input  logic [15:0]            clear_at,
    output logic [15:0]            table_rows,
    // What does not change while the firmware runs.
    input  logic [15:0][31:0]      capabilities,     // in the order of the registers
    input  logic [3:0][31:0]       settings,         // in the order of the registers
    input  logic [15:0][15:0]      port_vlans,
    input  logic                   trace_on,
    input  logic [31:0]            now_ms,
    input  logic [31:0]            now_cycles,       // low word
    // What is new.
    input  logic                   quantum_tick,     // pulse
    input  logic                   slots_arrived,    // pulse
    input  logic                   list_arrived,     // pulse
    // Command rings.
    input  logic [RINGS-1:0]       ring_shown,         // started, or below one that was
    input  logic [RINGS-1:0]       ring_running,
    input  logic [RINGS-1:0]       ring_failed,
    input  logic [RINGS-1:0][31:0] fetched,
    output logic [RINGS-1:0][31:0] taken,
    output logic [RINGS-1:0][31:0] settled,
    input  logic                   mail_we,
    input  logic [8:0]             mail_line,
    input  line_bits_t             mail_data,
    output logic [RINGS-1:0]       set_list_low,
    output logic [RINGS-1:0]       set_list_high,
    output logic [RINGS-1:0]       set_list_entries,
    output logic [RINGS-1:0]       set_list_asked,
    input  logic [RINGS-1:0][31:0] list_answered,
    input  logic [RINGS-1:0]       list_refused,
    input  logic                   list_we,
    input  logic [7:0]             list_line,
    input  line_bits_t             list_data,
    // Stores: this word, and where it goes.
    output logic [31:0]            store_value,
    output logic [11:0]            store_word,       // within the window
    output logic                   outbox_store,
    output logic                   trace_store,
    output logic                   set_trace_filled,
    output logic                   count_valid,
    output counter_t               count_number,
    output logic [31:0]            outbox_filled,
    input  logic [31:0]            outbox_taken,
    input  logic [31:0]            event_limit,
    // Health.
    output logic                   has_beaten,       // pulse, with heartbeat
    output logic [31:0]            heartbeat,
    output logic                   fail_valid,       // pulse, with what stands beside it
    output logic [31:0]            fail_code,
    output logic [31:0]            fail_pc,
    output logic [31:0]            fail_cause,
    output logic                   nonsense,         // pulse
    // The datapath.
    output logic                   tbl_we,
    output region_e                tbl_region,
    output tbl_index_t             tbl_index,
    output tbl_field_t             tbl_field,
    output logic [31:0]            tbl_data,
    output logic                   tbl_stamp_we,
    output logic [31:0]            tbl_stamp,
    output logic                   age_req,
    output tbl_index_t             age_index,
    output tbl_field_t             age_field,
    input  logic [31:0]            age_data,
    output logic                   raise_valid,      // pulse, with raise_epoch
    output logic [31:0]            raise_epoch,
    input  logic [31:0]            announced,
    input  logic                   notice_valid,
    output logic                   notice_ready,
    input  logic [1:0]             notice_kind,
    input  logic [63:0]            notice_handle
);

  // ---- the core, its RAM, its bus ---------------------------------------------------------------
  logic wake, news;
  logic instr_req, instr_rvalid, instr_err;
  logic [31:0] instr_addr, instr_rdata;
  logic data_req, data_gnt, data_rvalid, data_err, data_we;
  logic [3:0] data_be;
  logic [31:0] data_addr, data_wdata, data_rdata;
  logic ram_req, ram_we;
  logic [3:0] ram_be;
  logic [14:0] ram_word;
  logic [31:0] ram_wdata, ram_rdata;
  logic [13:0] window_word, access_word;
  logic [31:0] mail_rdata, list_rdata, notice_rdata, reg_load_value;
  logic reg_store, reg_is_readable, reg_is_writable;
  logic table_req, table_store, table_is_inside, table_rsp_valid;
  logic [29:0] table_word;
  logic [31:0] table_rsp_value;
  logic link_is_mine, link_is_readable, link_is_writable, regs_are_readable, regs_are_writable;
  logic [31:0] link_load_value, regs_load_value;
  logic link_start, link_is_busy, link_done, walk_store;
  logic [3:0] link_buffer;
  list_entry_t link_first, link_last, link_next;
  logic [31:0] link_to, link_ms;
  tbl_index_t link_home, walk_index;
  logic [3:0] link_aliases;
  logic [LIST_CHUNK-1:0] link_refused;
  link_aliases_t left_alias;
  link_counts_t left_paths;
  list_place_t walk_place;
  line_bits_t mail_rline;
  line_bits_t walk_line;
  table_row_t paths_row, aliases_row, walk_row, walk_store_row;
  logic [LINE_WORDS-1:0][31:0] walk_words;
  logic [31:0] notice_left, notice_taken, announced_before;
  logic raise_early, notice_arrived, was_full;

`ifdef FLUE_CORE_VEX
  core_vex u_vex (
      .clk, .rst_n(core_rst_n), .instr_req, .instr_gnt(1'b1), .instr_rvalid, .instr_err,
      .instr_addr, .instr_rdata, .data_req, .data_gnt, .data_rvalid, .data_err, .data_we,
      .data_be, .data_addr, .data_wdata, .data_rdata, .wake
  );
`else
  core_ibex u_ibex (
      .clk, .rst_n(core_rst_n), .instr_req, .instr_gnt(1'b1), .instr_rvalid, .instr_err,
      .instr_addr, .instr_rdata, .data_req, .data_gnt, .data_rvalid, .data_err, .data_we,
      .data_be, .data_addr, .data_wdata, .data_rdata, .wake
  );
`endif

  always_ff @(posedge clk) begin
    if (!core_rst_n) begin
      instr_rvalid <= 1'b0;
      instr_err    <= 1'b0;
    end else begin
      instr_rvalid <= instr_req;
      instr_err    <= instr_addr[31:17] != CORE_MAP_RAM[31:17];
    end
  end

  core_ram #(
      .IMAGE(IMAGE)
  ) u_core_ram (
      .clk, .instr_req, .instr_word(instr_addr[16:2]), .instr_rdata, .data_req(ram_req),
      .data_we(ram_we), .data_be(ram_be), .data_word(ram_word), .data_wdata(ram_wdata),
      .data_rdata(ram_rdata)
  );

  core_bus u_core_bus (
      .clk, .rst_n(core_rst_n), .data_req, .data_gnt, .data_rvalid, .data_err, .data_we, .data_be,
      .data_addr, .data_wdata, .data_rdata, .ram_req, .ram_we, .ram_be, .ram_word, .ram_wdata,
      .ram_rdata, .window_word, .mail_rdata, .list_rdata, .notice_rdata, .access_word,
      .store_value, .reg_store, .reg_load_value, .reg_is_readable, .reg_is_writable,
      .outbox_store, .trace_store, .table_req, .table_store, .table_word, .table_is_inside,
      .table_rsp_valid, .table_rsp_value
  );

  core_regs #(
      .RINGS(RINGS)
  ) u_core_regs (
      .clk, .rst_n(eng_rst_n), .offset({access_word[9:0], 2'd0}), .is_store(reg_store),
      .store_value, .load_value(regs_load_value), .is_readable(regs_are_readable),
      .is_writable(regs_are_writable), .capabilities, .settings, .port_vlans, .trace_on, .now_ms,
      .now_cycles, .ring_shown, .ring_running, .ring_failed, .fetched, .taken, .settled,
      .set_list_low, .set_list_high, .set_list_entries, .set_list_asked, .list_answered,
      .list_refused, .outbox_filled, .outbox_taken, .event_limit, .notice_left, .notice_taken,
      .set_trace_filled, .raise_valid(raise_early), .raise_epoch, .announced, .has_beaten,
      .heartbeat, .fail_valid, .fail_code, .fail_pc, .fail_cause, .nonsense, .count_valid,
      .count_number, .news, .wake
  );

  assign store_word = access_word[11:0];

  // ---- the link engine --------------------------------------------------------------------------
  link_regs u_link_regs (
      .clk, .rst_n(eng_rst_n), .offset({access_word[9:0], 2'd0}), .is_store(reg_store),
      .store_value, .is_mine(link_is_mine), .load_value(link_load_value),
      .is_readable(link_is_readable), .is_writable(link_is_writable), .start(link_start),
      .buffer(link_buffer), .first(link_first), .last(link_last), .to(link_to), .home(link_home),
      .now_ms(link_ms), .done(link_done), .next(link_next), .aliases(link_aliases),
      .refused(link_refused), .left_alias, .left_paths
  );
  assign reg_load_value  = link_is_mine ? link_load_value : regs_load_value;
  assign reg_is_readable = link_is_mine ? link_is_readable : regs_are_readable;
  assign reg_is_writable = link_is_mine ? link_is_writable : regs_are_writable;

  link_engine u_link_engine (
      .clk, .rst_n(eng_rst_n), .start(link_start), .buffer(link_buffer), .first(link_first),
      .last(link_last), .to(link_to), .home(link_home), .cap_paths(capabilities[1]),
      .is_busy(link_is_busy), .done(link_done), .next(link_next), .aliases(link_aliases),
      .refused(link_refused), .left_alias, .left_paths, .list_place(walk_place),
      .list_line(walk_line), .paths_row, .aliases_row, .row(walk_row), .row_words(walk_words),
      .store(walk_store), .store_row(walk_store_row), .store_index(walk_index)
  );

  // Something new for the core: what it waits for has come, or it is time to look at its timers.
  logic [RINGS-1:0] failed_before;
  always_ff @(posedge clk) begin
    if (!eng_rst_n) begin
      announced_before <= '0;
      failed_before    <= '0;
      was_full         <= 1'b0;
      news             <= 1'b0;
    end else begin
      announced_before <= announced;
      failed_before    <= ring_failed;
      was_full         <= outbox_filled - outbox_taken >= CORE_WINDOWS_OUTBOX_ENTRIES;
      news <= slots_arrived || list_arrived || notice_arrived || quantum_tick ||
          announced != announced_before || failed_before != ring_failed ||
          was_full && outbox_filled - outbox_taken < CORE_WINDOWS_OUTBOX_ENTRIES;
    end
  end

  line_ram #(
      .LINES_LOG2(6 + $clog2(RINGS))
  ) u_mailbox (
      .clk, .we(mail_we), .wline(mail_line[5+$clog2(RINGS):0]), .wdata(mail_data),
      .raddr(window_word[9+$clog2(RINGS):0]), .rdata(mail_rdata), .rline(mail_rline)
  );

  line_ram #(
      .LINES_LOG2(5 + $clog2(RINGS))
  ) u_lists (
      .clk, .we(list_we), .wline(list_line[4+$clog2(RINGS):0]), .wdata(list_data),
      .raddr(link_is_busy ? {walk_place[7+$clog2(RINGS):0], 1'b0} :
             window_word[8+$clog2(RINGS):0]),
      .rdata(list_rdata), .rline(walk_line)
  );

  // ---- tables, and the fence behind them --------------------------------------------------------
  // Clocks by which a raise is held back, so that every earlier store was told before.
  logic [1:0] raise_waits;

  table_ram #(
      .NEIGHBORS(NEIGHBORS),
      .PATHS(PATHS),
      .CONNECTIONS(CONNECTIONS),
      .ALIASES(ALIASES),
      .SOURCE_MACS(SOURCE_MACS)
  ) u_tables (
      .clk, .rst_n, .cap_neighbors(capabilities[0]), .cap_paths(capabilities[1]),
      .cap_connections(capabilities[2]), .cap_aliases(capabilities[3]),
      .cap_source_macs(capabilities[4]), .clear, .clear_row(clear_at), .rows(table_rows),
      .req(table_req), .req_store(table_store), .req_word(table_word), .req_value(store_value),
      .is_inside(table_is_inside), .rsp_valid(table_rsp_valid), .rsp_value(table_rsp_value),
      .is_walked(link_is_busy), .walk_row, .walk_words, .walk_store, .walk_store_row, .walk_index,
      .walk_link(link_home), .walk_stamp(link_ms), .paths_row, .aliases_row, .tbl_we, .tbl_region,
      .tbl_index, .tbl_field, .tbl_data, .tbl_stamp_we, .tbl_stamp, .age_req, .age_index, .age_field,
      .age_data
  );

  always_ff @(posedge clk) begin
    if (!eng_rst_n) {raise_valid, raise_waits} <= '0;
    else {raise_valid, raise_waits} <= {raise_waits, raise_early};
  end

  notice_fifo u_notices (
      .clk, .rst_n(eng_rst_n), .notice_valid, .notice_ready, .notice_kind, .notice_handle,
      .arrived(notice_arrived), .left(notice_left), .taken(notice_taken),
      .raddr(window_word[5:0]), .rdata(notice_rdata)
  );

endmodule : core
