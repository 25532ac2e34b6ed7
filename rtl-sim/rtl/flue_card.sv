// The card: everything between the host's bus, the port and the vectors.
//
//   AXI-Lite -> axil_slave -> csr -> ring_ctrl, health            (registers, orders, state)
//   AXI  <- dma_rd <- fetch -> mailbox --\
//        <- dma_rd <- list_fetch -> lists +-> core (firmware, tables)
//        <- dma_wr <- outbox <-----------/       | every table store
//        <- dma_rd, dma_wr <- datapath <---------+ -> AXI-Stream
//   irq <- irq_merge <- outbox, datapath
//
// Wiring only, and what joins several modules' pulses. Capabilities are straps: what the registers
// read; at most what the parameters size the memories for. On an FPGA they are tied to the
// parameters; in simulation one build serves every size up to them.

module flue_card
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
#(
    parameter int unsigned NEIGHBORS = NEIGHBORS_DEFAULT,
    parameter int unsigned PATHS = PATHS_DEFAULT,
    parameter int unsigned CONNECTIONS = CONNECTIONS_DEFAULT,
    parameter int unsigned ALIASES = ALIASES_DEFAULT,
    parameter int unsigned SOURCE_MACS = SOURCE_MACS_DEFAULT,
    parameter int unsigned COMMAND_RINGS = COMMAND_RINGS_DEFAULT,  // 1 to 8
    parameter int unsigned TRANSMIT_RINGS = TRANSMIT_RINGS_DEFAULT,  // 1 to 8
    parameter int unsigned HELD = HELD_DEFAULT,
    parameter IMAGE = ""  // the firmware, a hex file
) (
    input  logic        clk,
    input  logic        rst_n,
    input  logic        flr,                 // level: a function-level reset is asked for
    output logic        flr_done,            // level: it is over, until flr falls
    // Straps: constant.
    input  logic [31:0] cap_neighbors,
    input  logic [31:0] cap_paths,
    input  logic [31:0] cap_connections,
    input  logic [31:0] cap_aliases,
    input  logic [31:0] cap_source_macs,
    input  logic [31:0] cap_vlans,
    input  logic [31:0] cap_state_memory,    // bytes
    input  logic [31:0] cap_command_rings,
    input  logic [31:0] cap_transmit_rings,
    input  logic [31:0] cap_ring_slots,
    input  logic [31:0] cap_vectors,
    input  logic [31:0] cap_held_per_path,
    input  logic [31:0] cap_held_total,
    input  logic [31:0] cap_clock_khz,
    input  logic [47:0] cap_port_mac,        // first byte lowest
    input  logic [31:0] image_hash,
    // BAR0
    input  logic [15:0] s_axil_awaddr,
    input  logic [ 2:0] s_axil_awprot,
    input  logic        s_axil_awvalid,
    output logic        s_axil_awready,
    input  logic [31:0] s_axil_wdata,
    input  logic [ 3:0] s_axil_wstrb,
    input  logic        s_axil_wvalid,
    output logic        s_axil_wready,
    output logic [ 1:0] s_axil_bresp,
    output logic        s_axil_bvalid,
    input  logic        s_axil_bready,
    input  logic [15:0] s_axil_araddr,
    input  logic [ 2:0] s_axil_arprot,
    input  logic        s_axil_arvalid,
    output logic        s_axil_arready,
    output logic [31:0] s_axil_rdata,
    output logic [ 1:0] s_axil_rresp,
    output logic        s_axil_rvalid,
    input  logic        s_axil_rready,
    // Host memory
    output logic [ 4:0] m_axi_arid,
    output logic [63:0] m_axi_araddr,
    output logic [ 7:0] m_axi_arlen,
    output logic [ 2:0] m_axi_arsize,
    output logic [ 1:0] m_axi_arburst,
    output logic        m_axi_arvalid,
    input  logic        m_axi_arready,
    input  logic [ 4:0] m_axi_rid,
    input  logic [511:0] m_axi_rdata,
    input  logic [ 1:0] m_axi_rresp,
    input  logic        m_axi_rlast,
    input  logic        m_axi_rvalid,
    output logic        m_axi_rready,
    output logic [ 4:0] m_axi_awid,
    output logic [63:0] m_axi_awaddr,
    output logic [ 7:0] m_axi_awlen,
    output logic [ 2:0] m_axi_awsize,
    output logic [ 1:0] m_axi_awburst,
    output logic        m_axi_awvalid,
    input  logic        m_axi_awready,
    output logic [511:0] m_axi_wdata,
    output logic [63:0] m_axi_wstrb,
    output logic        m_axi_wlast,
    output logic        m_axi_wvalid,
    input  logic        m_axi_wready,
    input  logic [ 4:0] m_axi_bid,
    input  logic [ 1:0] m_axi_bresp,
    input  logic        m_axi_bvalid,
    output logic        m_axi_bready,
    // The port
    output logic [511:0] m_axis_tdata,
    output logic [63:0] m_axis_tkeep,
    output logic        m_axis_tlast,
    output logic        m_axis_tvalid,
    input  logic        m_axis_tready,
    // Vectors
    output logic        irq_valid,
    input  logic        irq_ready,
    output logic [ 3:0] irq_vector
);

  localparam int unsigned RINGS = COMMAND_RINGS;
  localparam int unsigned SIDES = COMMAND_RINGS + 1;
  localparam int unsigned TX = TRANSMIT_RINGS;
  localparam int unsigned BANKS = BAR_RINGS;
  localparam int unsigned TX_FIRST = BAR_TRANSMIT_RING_FIRST;
  localparam int unsigned EVENT = BAR_EVENT_RING;
  localparam int unsigned NOTE_SOURCES = 5;
  localparam int unsigned EXTRAS = 5;

  // ---- time, state, resets ----------------------------------------------------------------------
  logic [63:0] now_cycles;
  logic [31:0] now_ms;
  logic ms_tick, quantum_tick;
  logic is_open, core_on, soft_rst, is_cold, clear;
  logic [15:0] clear_at, table_rows;
  logic eng_rst_n;  // engines: of a reset, too
  logic core_rst_n;
  logic [31:0] card_state, fail_code, fail_pc, fail_cause, incarnation, heartbeat;
  logic order_reset, order_enable, order_start, is_busy, is_enabled;
  logic caps_fit;
  logic rd_is_quiet, wr_is_quiet, datapath_is_quiet, datapath_is_cleared;
  logic rd_is_stuck, wr_is_stuck;
  logic core_fail_valid, nonsense, outbox_nonsense, core_nonsense, has_beaten;
  logic [31:0] core_fail_code, core_fail_pc, core_fail_cause;
  logic datapath_fail_valid;
  logic [31:0] datapath_fail_code, datapath_fail_cause;
  logic [31:0] raise_epoch, announced;

  assign caps_fit = cap_neighbors <= NEIGHBORS && cap_paths <= PATHS &&
      cap_connections <= CONNECTIONS && cap_aliases <= ALIASES && cap_source_macs <= SOURCE_MACS &&
      cap_command_rings <= COMMAND_RINGS && cap_transmit_rings <= TRANSMIT_RINGS &&
      cap_held_total <= HELD;
  assign nonsense = outbox_nonsense || core_nonsense;

  // Resets of engines and core come from registers; at power-on these have no value yet.
  logic eng_runs, core_runs;
  always_ff @(posedge clk) begin
    eng_runs  <= rst_n && !soft_rst;
    core_runs <= rst_n && core_on;
  end
  assign eng_rst_n  = rst_n && eng_runs;
  assign core_rst_n = rst_n && core_runs;

  card_clock u_clock (
      .clk, .rst_n, .cap_clock_khz, .now_cycles, .now_ms, .ms_tick, .quantum_tick
  );

  health u_health (
      .clk, .rst_n, .order_reset, .flr, .flr_done, .is_enabled, .caps_fit,
      .is_quiet(rd_is_quiet && wr_is_quiet && datapath_is_quiet), .is_open, .core_on,
      .soft_rst, .is_cold, .clear_at, .clear, .table_rows,
      .is_cleared(datapath_is_cleared), .core_fail_valid, .core_fail_code, .core_fail_pc, .core_fail_cause, .nonsense, .datapath_fail_valid,
      .datapath_fail_code, .datapath_fail_cause, .rd_is_stuck, .wr_is_stuck, .ms_tick,
      .has_beaten, .raised(raise_epoch), .announced, .card_state, .fail_code, .fail_pc,
      .fail_cause, .incarnation
  );

  // ---- BAR0 -------------------------------------------------------------------------------------
  logic req_valid, req_store, req_is_odd, rsp_valid, bad_access;
  logic [15:0] req_addr;
  logic [31:0] req_value, rsp_value;
  logic [4:0] order_ring;
  logic [9:0] cell_word;
  logic [31:0] cell_value;
  logic [BANKS-1:0][31:0] doorbell_tail, doorbell_reaped;
  logic [BANKS-1:0][31:0] ring_state, ring_error, ring_fetched, ring_posted, ring_held;
  logic trace_on;
  logic [2:0][31:0] trace_filled;
  logic [13:0] trace_raddr;
  logic [31:0] trace_rdata;
  counter_t counter;
  logic [63:0] counter_value;
  logic [15:0][31:0] capabilities;

  assign capabilities = {
    {16'd0, cap_port_mac[47:32]}, cap_port_mac[31:0], cap_clock_khz, cap_held_total,
    cap_held_per_path, cap_vectors, cap_ring_slots, cap_transmit_rings, cap_command_rings,
    cap_state_memory, cap_vlans, cap_source_macs, cap_aliases, cap_connections, cap_paths,
    cap_neighbors
  };

  axil_slave u_axil (
      .clk, .rst_n, .s_axil_awaddr, .s_axil_awprot, .s_axil_awvalid, .s_axil_awready,
      .s_axil_wdata, .s_axil_wstrb, .s_axil_wvalid, .s_axil_wready, .s_axil_bresp, .s_axil_bvalid,
      .s_axil_bready, .s_axil_araddr, .s_axil_arprot, .s_axil_arvalid, .s_axil_arready,
      .s_axil_rdata, .s_axil_rresp, .s_axil_rvalid, .s_axil_rready, .req_valid, .req_store,
      .req_is_odd, .req_addr, .req_value, .rsp_valid, .rsp_value
  );

  csr u_csr (
      .clk, .rst_n, .req_valid, .req_store, .req_is_odd, .req_word(req_addr[15:2]), .req_value,
      .rsp_valid, .rsp_value, .bad_access, .soft_rst, .clear, .is_cold, .clear_at(clear_at[10:0]),
      .order_reset, .order_enable, .order_start, .order_ring, .is_busy, .cell_word, .cell_value,
      .constants({
          capabilities, 32'd0, image_hash, ABI_HASH, {VERSION_MAJOR[15:0], VERSION_MINOR[15:0]},
          BAR_IDENTITY_VALUE
      }),
      .health({
          now_cycles[63:32], now_cycles[31:0], now_ms, incarnation, heartbeat, fail_cause, fail_pc,
          fail_code, card_state
      }),
      .ring_state, .ring_error, .ring_fetched, .ring_posted, .ring_held,
      .doorbell_tail, .doorbell_reaped, .trace_on, .trace_filled, .trace_raddr, .trace_rdata,
      .counter, .counter_value
  );

  // ---- rings: what was started, what runs, what failed ------------------------------------------
  logic [3:0][31:0] settings;
  logic [15:0][15:0] port_vlans;
  logic [BANKS-1:0] ring_start, ring_running, ring_failed, fail_doorbell, fail_bus;
  line_t ring_base, ring_cpl_base;
  logic [4:0] ring_log2;
  logic [31:0] ring_vector, ring_moderation;
  logic [RINGS-1:0] fetch_fail_doorbell, fetch_fail_bus;
  logic [SIDES-1:0] side_fail_bus, side_start, side_running, is_reaped_sane;
  logic [SIDES-1:0][31:0] side_reaped, side_posted;
  logic [RINGS-1:0][31:0] fetched;
  logic [TX-1:0] tx_fail;
  logic [31:0] tx_fail_code;
  logic [TX-1:0][31:0] tx_fetched, tx_posted, tx_held;
  logic [7:0] ring_shown;

  ring_ctrl u_rings (
      .clk, .rst_n, .reset(soft_rst), .is_open, .cap_command_rings, .cap_transmit_rings,
      .cap_ring_slots, .cap_vectors, .cap_clock_khz, .start(order_start),
      .start_number(order_ring), .enable(order_enable && card_state == CARD_STATE_RESET),
      .is_busy, .is_enabled, .cell_word, .cell_value, .settings, .port_vlans, .ring_start,
      .ring_base, .ring_cpl_base, .ring_log2, .ring_vector, .ring_moderation, .fail_doorbell,
      .fail_bus, .ring_running, .ring_failed, .ring_shown, .ring_state, .ring_error
  );

  assign side_start   = {ring_start[EVENT], ring_start[RINGS-1:0]};
  assign side_running = {ring_running[EVENT], ring_running[RINGS-1:0]};
  assign side_reaped  = {doorbell_reaped[EVENT], doorbell_reaped[RINGS-1:0]};

  always_comb begin
    fail_doorbell = '0;
    fail_bus      = '0;
    ring_fetched  = '0;
    ring_posted   = '0;
    ring_held     = '0;
    for (int unsigned r = 0; r < RINGS; r++) begin
      fail_doorbell[r] = fetch_fail_doorbell[r];
      fail_bus[r]      = fetch_fail_bus[r] || side_fail_bus[r];
      ring_fetched[r]  = fetched[r];
      ring_posted[r]   = side_posted[r];
    end
    for (int unsigned r = 0; r < TX; r++) begin
      fail_doorbell[TX_FIRST+r] = tx_fail[r] && tx_fail_code == FAIL_CODE_DOORBELL;
      fail_bus[TX_FIRST+r]      = tx_fail[r] && tx_fail_code != FAIL_CODE_DOORBELL;
      ring_fetched[TX_FIRST+r]  = tx_fetched[r];
      ring_posted[TX_FIRST+r]   = tx_posted[r];
      ring_held[TX_FIRST+r]     = tx_held[r];
    end
    fail_bus[EVENT]    = side_fail_bus[RINGS];
    ring_posted[EVENT] = side_posted[RINGS];
  end

  // ---- DMA --------------------------------------------------------------------------------------
  logic [RD_CLIENTS-1:0] rd_req_valid, rd_req_ready, rd_rsp_valid, rd_rsp_ready;
  logic [RD_CLIENTS-1:0] rd_rsp_error, rd_rsp_last;
  line_t [RD_CLIENTS-1:0] rd_req_line;
  line_count_t [RD_CLIENTS-1:0] rd_req_lines;
  line_bits_t [RD_CLIENTS-1:0] rd_rsp_data;
  logic [WR_CLIENTS-1:0] wr_req_valid, wr_req_ready, wr_rsp_valid;
  line_t [WR_CLIENTS-1:0] wr_req_line;
  line_bits_t [WR_CLIENTS-1:0] wr_req_data;
  logic [WR_CLIENTS-1:0][LINE_BYTES-1:0] wr_req_strb;
  logic wr_rsp_error, rd_refused, wr_refused;

  dma_rd u_dma_rd (
      .clk, .rst_n(eng_rst_n), .is_open, .is_quiet(rd_is_quiet), .refused(rd_refused),
      .req_valid(rd_req_valid), .req_ready(rd_req_ready), .req_line(rd_req_line),
      .req_lines(rd_req_lines), .rsp_valid(rd_rsp_valid), .rsp_ready(rd_rsp_ready),
      .rsp_data(rd_rsp_data), .rsp_error(rd_rsp_error), .rsp_last(rd_rsp_last), .m_axi_arid,
      .m_axi_araddr, .m_axi_arlen, .m_axi_arsize, .m_axi_arburst, .m_axi_arvalid, .m_axi_arready,
      .m_axi_rid, .m_axi_rdata, .m_axi_rresp, .m_axi_rlast, .m_axi_rvalid, .m_axi_rready
  );

  dma_wr u_dma_wr (
      .clk, .rst_n(eng_rst_n), .is_open, .is_quiet(wr_is_quiet), .refused(wr_refused),
      .req_valid(wr_req_valid), .req_ready(wr_req_ready), .req_line(wr_req_line),
      .req_data(wr_req_data), .req_strb(wr_req_strb), .rsp_valid(wr_rsp_valid),
      .rsp_error(wr_rsp_error), .m_axi_awid, .m_axi_awaddr, .m_axi_awlen, .m_axi_awsize,
      .m_axi_awburst, .m_axi_awvalid, .m_axi_awready, .m_axi_wdata, .m_axi_wstrb, .m_axi_wlast,
      .m_axi_wvalid, .m_axi_wready, .m_axi_bid, .m_axi_bresp, .m_axi_bvalid, .m_axi_bready
  );

  dma_watch u_rd_watch (
      .clk, .rst_n(eng_rst_n), .ms_tick, .is_quiet(rd_is_quiet), .moves(m_axi_rvalid),
      .is_stuck(rd_is_stuck)
  );

  dma_watch u_wr_watch (
      .clk, .rst_n(eng_rst_n), .ms_tick, .is_quiet(wr_is_quiet), .moves(m_axi_bvalid),
      .is_stuck(wr_is_stuck)
  );

  // ---- commands in ------------------------------------------------------------------------------
  logic [RINGS-1:0][31:0] taken, settled, list_answered;
  logic [RINGS-1:0] set_list_low, set_list_high, set_list_entries, set_list_asked, list_refused;
  logic slots_arrived, list_arrived, mail_we, list_we;
  logic [8:0] mail_line;
  logic [7:0] list_line;
  line_bits_t mail_data, list_data;
  logic [NOTE_SOURCES-1:0] note_valid;
  trace_note_t [NOTE_SOURCES-1:0] note;
  logic [31:0] store_value;

  fetch #(
      .RINGS(RINGS)
  ) u_fetch (
      .clk, .rst_n(eng_rst_n), .is_open, .ring_start(ring_start[RINGS-1:0]), .ring_base,
      .ring_log2, .ring_running(ring_running[RINGS-1:0]), .ring_tail(doorbell_tail[RINGS-1:0]),
      .ring_reaped(doorbell_reaped[RINGS-1:0]), .is_reaped_sane(is_reaped_sane[RINGS-1:0]),
      .taken, .settled, .fetched, .fail_doorbell(fetch_fail_doorbell), .fail_bus(fetch_fail_bus),
      .arrived(slots_arrived), .mail_we, .mail_line, .mail_data,
      .rd_req_valid(rd_req_valid[RD_FETCH]), .rd_req_ready(rd_req_ready[RD_FETCH]),
      .rd_req_line(rd_req_line[RD_FETCH]), .rd_req_lines(rd_req_lines[RD_FETCH]),
      .rd_rsp_valid(rd_rsp_valid[RD_FETCH]), .rd_rsp_ready(rd_rsp_ready[RD_FETCH]),
      .rd_rsp_data(rd_rsp_data[RD_FETCH]), .rd_rsp_error(rd_rsp_error[RD_FETCH]),
      .rd_rsp_last(rd_rsp_last[RD_FETCH]), .doorbell_note_valid(note_valid[0]),
      .doorbell_note(note[0]), .fetched_note_valid(note_valid[1]), .fetched_note(note[1])
  );

  list_fetch #(
      .RINGS(RINGS)
  ) u_list_fetch (
      .clk, .rst_n(eng_rst_n), .is_open, .ring_running(ring_running[RINGS-1:0]),
      .set_low(set_list_low), .set_high(set_list_high), .set_entries(set_list_entries),
      .set_asked(set_list_asked), .set_value(store_value), .answered(list_answered),
      .refused(list_refused), .arrived(list_arrived), .list_we, .list_line, .list_data,
      .rd_req_valid(rd_req_valid[RD_LIST]), .rd_req_ready(rd_req_ready[RD_LIST]),
      .rd_req_line(rd_req_line[RD_LIST]), .rd_req_lines(rd_req_lines[RD_LIST]),
      .rd_rsp_valid(rd_rsp_valid[RD_LIST]), .rd_rsp_ready(rd_rsp_ready[RD_LIST]),
      .rd_rsp_data(rd_rsp_data[RD_LIST]), .rd_rsp_error(rd_rsp_error[RD_LIST]),
      .rd_rsp_last(rd_rsp_last[RD_LIST]), .note_valid(note_valid[2]), .note(note[2])
  );

  // ---- the core, and what it sees ---------------------------------------------------------------
  logic outbox_store, trace_store, set_trace_filled, count_valid;
  logic [11:0] store_word;
  counter_t count_number;
  logic [31:0] outbox_filled, outbox_taken, event_limit;
  logic tbl_we, age_req, raise_valid;
  region_e tbl_region;
  tbl_index_t tbl_index, age_index;
  tbl_field_t tbl_field, age_field;
  logic [31:0] tbl_data, tbl_stamp, age_data;
  logic tbl_stamp_we;
  logic notice_valid, notice_ready;
  logic [1:0] notice_kind;
  logic [63:0] notice_handle;

  core #(
      .NEIGHBORS(NEIGHBORS),
      .PATHS(PATHS),
      .CONNECTIONS(CONNECTIONS),
      .ALIASES(ALIASES),
      .SOURCE_MACS(SOURCE_MACS),
      .RINGS(RINGS),
      .IMAGE(IMAGE)
  ) u_core (
      .clk, .rst_n, .eng_rst_n, .core_rst_n, .clear, .clear_at, .table_rows, .capabilities,
      .settings, .port_vlans, .trace_on, .now_ms, .now_cycles(now_cycles[31:0]), .quantum_tick,
      .slots_arrived, .list_arrived, .ring_shown(ring_shown[RINGS-1:0]),
      .ring_running(ring_running[RINGS-1:0]),
      .ring_failed(ring_failed[RINGS-1:0]), .fetched, .taken, .settled, .mail_we, .mail_line,
      .mail_data, .set_list_low, .set_list_high, .set_list_entries, .set_list_asked,
      .list_answered, .list_refused, .list_we, .list_line, .list_data, .store_value, .store_word,
      .outbox_store, .trace_store, .set_trace_filled, .count_valid, .count_number, .outbox_filled,
      .outbox_taken, .event_limit, .has_beaten, .heartbeat, .fail_valid(core_fail_valid),
      .fail_code(core_fail_code), .fail_pc(core_fail_pc), .fail_cause(core_fail_cause),
      .nonsense(core_nonsense), .tbl_we, .tbl_region, .tbl_index, .tbl_field, .tbl_data, .tbl_stamp_we,
      .tbl_stamp, .age_req,
      .age_index, .age_field, .age_data, .raise_valid, .raise_epoch, .announced, .notice_valid,
      .notice_ready, .notice_kind, .notice_handle
  );

  // ---- results, completions, events out ---------------------------------------------------------
  logic [SIDES:0] vector_valid, vector_ready;
  logic [SIDES:0][3:0] merge_vector;

  outbox #(
      .RINGS(RINGS)
  ) u_outbox (
      .clk, .rst_n(eng_rst_n), .is_open, .we(outbox_store), .waddr(store_word),
      .wdata(store_value), .filled(outbox_filled), .taken(outbox_taken), .event_limit,
      .nonsense(outbox_nonsense), .side_start, .side_base(ring_cpl_base), .side_log2(ring_log2),
      .side_vector(ring_vector), .side_moderation(ring_moderation), .side_running, .side_reaped,
      .is_reaped_sane, .posted(side_posted), .fail_bus(side_fail_bus),
      .irq_valid(vector_valid[SIDES-1:0]), .irq_ready(vector_ready[SIDES-1:0]),
      .irq_vector(merge_vector[SIDES-1:0]), .wr_req_valid(wr_req_valid[WR_OUTBOX]),
      .wr_req_ready(wr_req_ready[WR_OUTBOX]), .wr_req_line(wr_req_line[WR_OUTBOX]),
      .wr_req_data(wr_req_data[WR_OUTBOX]), .wr_req_strb(wr_req_strb[WR_OUTBOX]),
      .wr_rsp_valid(wr_rsp_valid[WR_OUTBOX]), .wr_rsp_error, .note_valid(note_valid[3]),
      .note(note[3]), .irq_note_valid(note_valid[4]), .irq_note(note[4])
  );

  irq_merge #(
      .SOURCES(SIDES + 1)
  ) u_irq (
      .clk, .rst_n(eng_rst_n), .in_valid(vector_valid), .in_ready(vector_ready),
      .in_vector(merge_vector), .irq_valid, .irq_ready, .irq_vector
  );

  // ---- counters, trace --------------------------------------------------------------------------
  logic [1:0] tx_count_valid;
  counter_t [1:0] tx_count_number;
  logic [1:0][15:0] tx_count_amount;
  logic [31:0] held_now;
  logic tx_trace_valid;
  trace_note_t tx_trace_record;

  counters #(
      .EXTRAS(EXTRAS)
  ) u_counters (
      .clk, .rst_n, .clear(clear && is_cold), .clear_number(clear_at[4:0]),
      .count_valid(tx_count_valid), .count_number(tx_count_number),
      .count_amount(tx_count_amount), .held_now, .core_valid(count_valid),
      .core_number(count_number), .core_amount(store_value),
      .extra({
          fetch_fail_doorbell != '0, bad_access, rd_refused, wr_refused, note_valid[4]
      }),
      .extra_number({
          COUNTER_BAD_DOORBELLS[4:0],
          COUNTER_BAD_ACCESSES[4:0],
          COUNTER_DMA_REFUSED[4:0],
          COUNTER_DMA_REFUSED[4:0],
          COUNTER_INTERRUPTS[4:0]
      }),
      .number(counter), .value(counter_value)
  );

  trace #(
      .SOURCES(NOTE_SOURCES)
  ) u_trace (
      .clk, .rst_n, .empty(soft_rst), .clear(clear && is_cold), .clear_place(clear_at[9:0]),
      .is_on(trace_on), .now_cycles(now_cycles[31:0]), .now_ms, .core_we(trace_store),
      .core_waddr(store_word), .core_wdata(store_value), .core_set_filled(set_trace_filled),
      .note_valid, .note, .datapath_valid(tx_trace_valid), .datapath_note(tx_trace_record),
      .raddr(trace_raddr), .rdata(trace_rdata), .filled(trace_filled)
  );

  // ---- the datapath -----------------------------------------------------------------------------
  datapath #(
      .NEIGHBORS(NEIGHBORS),
      .PATHS(PATHS),
      .CONNECTIONS(CONNECTIONS),
      .ALIASES(ALIASES),
      .TRANSMIT_RINGS(TX),
      .HELD(HELD)
  ) u_datapath (
      .clk, .rst_n, .soft_rst, .is_ready(is_open), .is_quiet(datapath_is_quiet),
      .is_cleared(datapath_is_cleared), .now_ms, .stale_ms(settings[2]), .cap_neighbors,
      .cap_paths, .cap_connections, .cap_aliases, .cap_held_per_path, .cap_held_total, .tbl_we,
      .tbl_region, .tbl_index, .tbl_field, .tbl_data, .tbl_stamp_we, .tbl_stamp, .age_req, .age_index, .age_field, .age_data,
      .ring_start(ring_start[TX_FIRST+:TX]), .ring_base({ring_base, 6'd0}),
      .ring_cpl_base({ring_cpl_base, 6'd0}), .ring_log2, .ring_vector,
      .ring_moderation_cycles(ring_moderation), .ring_running(ring_running[TX_FIRST+:TX]),
      .ring_tail(doorbell_tail[TX_FIRST+:TX]), .ring_reaped(doorbell_reaped[TX_FIRST+:TX]),
      .ring_fetched(tx_fetched), .ring_posted(tx_posted), .ring_held(tx_held),
      .ring_fail(tx_fail), .ring_fail_code(tx_fail_code), .raise_valid, .raise_epoch, .announced,
      .notice_valid, .notice_ready, .notice_kind, .notice_handle, .count_valid(tx_count_valid),
      .count_number(tx_count_number), .count_amount(tx_count_amount), .held_now, .trace_on,
      .trace_valid(tx_trace_valid), .trace_record(tx_trace_record),
      .fail_valid(datapath_fail_valid), .fail_code(datapath_fail_code),
      .fail_cause(datapath_fail_cause), .irq_valid(vector_valid[SIDES]),
      .irq_ready(vector_ready[SIDES]), .irq_vector(merge_vector[SIDES]),
      .rd_req_valid(rd_req_valid[RD_HELD:RD_DESCRIPTOR]),
      .rd_req_ready(rd_req_ready[RD_HELD:RD_DESCRIPTOR]),
      .rd_req_line(rd_req_line[RD_HELD:RD_DESCRIPTOR]),
      .rd_req_lines(rd_req_lines[RD_HELD:RD_DESCRIPTOR]),
      .rd_rsp_valid(rd_rsp_valid[RD_HELD:RD_DESCRIPTOR]),
      .rd_rsp_ready(rd_rsp_ready[RD_HELD:RD_DESCRIPTOR]),
      .rd_rsp_data(rd_rsp_data[RD_HELD:RD_DESCRIPTOR]),
      .rd_rsp_error(rd_rsp_error[RD_HELD:RD_DESCRIPTOR]),
      .rd_rsp_last(rd_rsp_last[RD_HELD:RD_DESCRIPTOR]), .wr_req_valid(wr_req_valid[WR_TRANSMIT]),
      .wr_req_ready(wr_req_ready[WR_TRANSMIT]), .wr_req_line(wr_req_line[WR_TRANSMIT]),
      .wr_req_data(wr_req_data[WR_TRANSMIT]), .wr_req_strb(wr_req_strb[WR_TRANSMIT]),
      .wr_rsp_valid(wr_rsp_valid[WR_TRANSMIT]), .wr_rsp_error, .m_axis_tdata, .m_axis_tkeep,
      .m_axis_tlast, .m_axis_tvalid, .m_axis_tready
  );

endmodule : flue_card
