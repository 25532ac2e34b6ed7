// The datapath: descriptors in, frames out of the port, completions back.
//
// Beside the command side, from which it takes the core's table stores, the epochs and the rings'
// configuration, and to which it gives notices. It takes no lock and waits for nobody but the port
// and host memory.
//
//   rings ─► tx_fetch ─► tx_admit ─► look_up ─► judge ─► egress ─► framer ─► port
//              payload ─► payload_buf ────▲──────┼─────────▲ │
//                                   hold ─┴──────┘         │ └─► tx_cpl ─► completion rings
//                                   reach, notices   payload_buf (held)
//
// `soft_rst` is a reset of everything in here, while which all memories are made zero.
// Invariants: an epoch is announced when all that was resolved before it was raised is across the
// port, given back or held; nothing leaves and no DMA is asked for while the card is not ready.

module datapath
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned NEIGHBORS = NEIGHBORS_DEFAULT,
    parameter int unsigned PATHS = PATHS_DEFAULT,
    parameter int unsigned CONNECTIONS = CONNECTIONS_DEFAULT,
    parameter int unsigned ALIASES = ALIASES_DEFAULT,
    parameter int unsigned TRANSMIT_RINGS = TRANSMIT_RINGS_DEFAULT,
    parameter int unsigned HELD = HELD_DEFAULT,
    parameter int unsigned PORT_STALL_CLOCKS = PORT_STALL_CLOCKS_DEFAULT,
    localparam int unsigned READERS = 3
) (
    input  logic                            clk,
    input  logic                            rst_n,
    input  logic                            soft_rst,
    output logic                            is_cleared,
    input  logic                            is_ready,
    output logic                            is_quiet,
    input  logic [31:0]                     now_ms,
    input  logic [31:0]                     stale_ms,
    input  logic [31:0]                     cap_neighbors,
    input  logic [31:0]                     cap_paths,
    input  logic [31:0]                     cap_connections,
    input  logic [31:0]                     cap_aliases,
    input  logic [31:0]                     cap_held_per_path,
    input  logic [31:0]                     cap_held_total,
    // Stores of the core, and its reads of the ages.
    input  logic                            tbl_we,
    input  region_e                         tbl_region,
    input  tbl_index_t                      tbl_index,
    input  tbl_field_t                      tbl_field,
    input  logic [31:0]                     tbl_data,
    input  logic                            tbl_stamp_we,
    input  logic [31:0]                     tbl_stamp,
    input  logic                            age_req,
    input  tbl_index_t                      age_index,
    input  tbl_field_t                      age_field,
    output logic [31:0]                     age_data,
    // Transmit rings.
    input  logic [TRANSMIT_RINGS-1:0]       ring_start,
    input  logic [63:0]                     ring_base,
    input  logic [63:0]                     ring_cpl_base,
    input  logic [4:0]                      ring_log2,
    input  logic [31:0]                     ring_vector,
    input  logic [31:0]                     ring_moderation_cycles,
    input  logic [TRANSMIT_RINGS-1:0]       ring_running,
    input  logic [TRANSMIT_RINGS-1:0][31:0] ring_tail,
    input  logic [TRANSMIT_RINGS-1:0][31:0] ring_reaped,
    output logic [TRANSMIT_RINGS-1:0][31:0] ring_fetched,
    output logic [TRANSMIT_RINGS-1:0][31:0] ring_posted,
    output logic [TRANSMIT_RINGS-1:0][31:0] ring_held,
    output logic [TRANSMIT_RINGS-1:0]       ring_fail,
    output logic [31:0]                     ring_fail_code,
    // Epochs.
    input  logic                            raise_valid,
    input  logic [31:0]                     raise_epoch,
    output logic [31:0]                     announced,
    output logic                            notice_valid,
    input  logic                            notice_ready,
    output logic [1:0]                      notice_kind,
    output logic [63:0]                     notice_handle,
    output logic [1:0]                      count_valid,
    output counter_t [1:0]                  count_number,
    output logic [1:0][15:0]                count_amount,
    output logic [31:0]                     held_now,
    input  logic                            trace_on,
    output logic                            trace_valid,
    output trace_note_t                     trace_record,
    output logic                            fail_valid,
    output logic [31:0]                     fail_code,
    output logic [31:0]                     fail_cause,
    output logic                            irq_valid,
    input  logic                            irq_ready,
    output logic [3:0]                      irq_vector,
    // DMA reads: descriptors, payload of fresh frames, payload of held ones, in the order of their
    // numbers in `flue_rtl_pkg`.
    output logic [READERS-1:0]              rd_req_valid,
    input  logic [READERS-1:0]              rd_req_ready,
    output line_t [READERS-1:0]             rd_req_line,
    output line_count_t [READERS-1:0]       rd_req_lines,
    input  logic [READERS-1:0]              rd_rsp_valid,
    output logic [READERS-1:0]              rd_rsp_ready,
    input  line_bits_t [READERS-1:0]        rd_rsp_data,
    input  logic [READERS-1:0]              rd_rsp_error,
    input  logic [READERS-1:0]              rd_rsp_last,
    // DMA: transmit completions.
    output logic                            wr_req_valid,
    input  logic                            wr_req_ready,
    output line_t                           wr_req_line,
    output line_bits_t                      wr_req_data,
    output logic [LINE_BYTES-1:0]           wr_req_strb,
    input  logic                            wr_rsp_valid,
    input  logic                            wr_rsp_error,
    // The port.
    output logic                            m_axis_tvalid,
    input  logic                            m_axis_tready,
    output line_bits_t                      m_axis_tdata,
    output logic [63:0]                     m_axis_tkeep,
    output logic                            m_axis_tlast
);

  localparam int unsigned OF_DESCRIPTORS = 0;
  localparam int unsigned OF_FRESH = RD_FRESH - RD_DESCRIPTOR;
  localparam int unsigned OF_HELD = RD_HELD - RD_DESCRIPTOR;
  localparam int unsigned RING_BITS = TRANSMIT_RINGS > 1 ? $clog2(TRANSMIT_RINGS) : 1;
  typedef logic [RING_BITS-1:0] ring_t;

  // State registers rest while everything is reset or cleared; the walks that clear go on.
  logic is_running;
  logic run_n;
  logic clear;
  assign run_n = rst_n && is_running;
  logic is_look_up_clear, is_judge_clear, is_reach_clear, is_notices_clear;
  assign is_cleared = is_look_up_clear && is_judge_clear && is_reach_clear && is_notices_clear;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      is_running <= 1'b0;
      clear <= 1'b0;
    end else begin
      is_running <= !soft_rst;
      clear <= soft_rst;
    end
  end

  // ---- the rings ---------------------------------------------------------------------------------
  logic [TRANSMIT_RINGS-1:0] is_served;
  line_t [TRANSMIT_RINGS-1:0] base;
  logic [TRANSMIT_RINGS-1:0][4:0] log2;
  logic [TRANSMIT_RINGS-1:0] bad_tail, bad_reaped, fetch_error, write_error;
  logic count_doorbell;

  tx_rings #(
      .TRANSMIT_RINGS(TRANSMIT_RINGS)
  ) u_tx_rings (
      .clk, .rst_n(run_n), .ring_start, .ring_base, .ring_log2, .ring_running,
      .bad_doorbell(bad_tail | bad_reaped), .bus_error(fetch_error | write_error), .is_served,
      .base, .log2, .ring_fail, .ring_fail_code, .count_doorbell
  );

  logic [TRANSMIT_RINGS-1:0] has_descriptor;
  logic take;
  ring_t take_ring;
  transmit_descriptor_t descriptor;
  logic note_doorbell, note_fetched;
  ring_t note_ring;
  logic [15:0] note_detail;
  logic [31:0] note_value;

  tx_fetch #(
      .TRANSMIT_RINGS(TRANSMIT_RINGS)
  ) u_tx_fetch (
      .clk, .rst_n(run_n), .is_ready, .is_served, .base, .log2, .ring_tail, .ring_fetched,
      .bad_doorbell(bad_tail), .bus_error(fetch_error),
      .rd_req_valid(rd_req_valid[OF_DESCRIPTORS]),
      .rd_req_ready(rd_req_ready[OF_DESCRIPTORS]),
      .rd_req_line(rd_req_line[OF_DESCRIPTORS]),
      .rd_req_lines(rd_req_lines[OF_DESCRIPTORS]),
      .rd_rsp_valid(rd_rsp_valid[OF_DESCRIPTORS]),
      .rd_rsp_ready(rd_rsp_ready[OF_DESCRIPTORS]),
      .rd_rsp_data(rd_rsp_data[OF_DESCRIPTORS]),
      .rd_rsp_error(rd_rsp_error[OF_DESCRIPTORS]),
      .rd_rsp_last(rd_rsp_last[OF_DESCRIPTORS]), .has_descriptor, .take,
      .take_ring, .descriptor, .note_doorbell, .note_fetched, .note_ring, .note_detail,
      .note_value
  );

  // ---- newcomers ---------------------------------------------------------------------------------
  logic [TRANSMIT_RINGS-1:0] has_room, hungry;
  logic judge_takes;
  logic admit_valid, admit_ready, admit_is_void;
  logic [63:0] admit_buffer;
  length_t admit_bytes;
  logic fresh_arrived, fresh_valid, fresh_ready;
  frame_t fresh;

  tx_admit #(
      .TRANSMIT_RINGS(TRANSMIT_RINGS)
  ) u_tx_admit (
      .clk, .rst_n(run_n), .is_ready, .has_descriptor, .has_room, .is_taken(judge_takes), .hungry,
      .take, .take_ring, .descriptor, .pay_valid(admit_valid), .pay_ready(admit_ready),
      .pay_buffer(admit_buffer), .pay_bytes(admit_bytes), .pay_is_void(admit_is_void),
      .arrived(fresh_arrived), .fresh_valid, .fresh_ready, .fresh
  );

  logic fresh_here, fresh_is_bad, fresh_taken, fresh_skipped, fresh_read;
  line_count_t fresh_lines;
  line_bits_t fresh_bits;
  payload_buf #(
      .LINES(PAYLOAD_LINES)
  ) u_fresh_payload (
      .clk, .rst_n(run_n), .req_valid(admit_valid), .req_ready(admit_ready),
      .req_buffer(admit_buffer), .req_bytes(admit_bytes), .req_is_void(admit_is_void),
      .rd_req_valid(rd_req_valid[OF_FRESH]),
      .rd_req_ready(rd_req_ready[OF_FRESH]),
      .rd_req_line(rd_req_line[OF_FRESH]),
      .rd_req_lines(rd_req_lines[OF_FRESH]),
      .rd_rsp_valid(rd_rsp_valid[OF_FRESH]),
      .rd_rsp_ready(rd_rsp_ready[OF_FRESH]),
      .rd_rsp_data(rd_rsp_data[OF_FRESH]),
      .rd_rsp_error(rd_rsp_error[OF_FRESH]),
      .rd_rsp_last(rd_rsp_last[OF_FRESH]), .arrived(fresh_arrived),
      .frame_valid(fresh_here), .frame_is_bad(fresh_is_bad), .frame_lines(fresh_lines),
      .frame_taken(fresh_taken), .frame_skipped(fresh_skipped), .line_read(fresh_read),
      .line_bits(fresh_bits)
  );

  // ---- the resolver ------------------------------------------------------------------------------
  logic retry_valid, retry_ready;
  frame_t retry;
  logic let_in;
  logic route_valid, route_ready;
  route_t route;
  frame_t routed;

  look_up #(
      .NEIGHBORS(NEIGHBORS), .PATHS(PATHS), .CONNECTIONS(CONNECTIONS), .ALIASES(ALIASES)
  ) u_look_up (
      .clk, .rst_n(run_n), .clear, .is_clear(is_look_up_clear), .cap_neighbors, .cap_paths,
      .cap_connections, .cap_aliases, .now_ms, .stale_ms, .tbl_we, .tbl_region, .tbl_index,
      .tbl_field, .tbl_data, .tbl_stamp_we, .tbl_stamp, .fresh_valid, .fresh_ready, .fresh, .retry_valid, .retry_ready,
      .retry, .let_in, .out_valid(route_valid), .out_ready(route_ready), .out_route(route),
      .out_frame(routed)
  );

  // ---- what becomes of frames --------------------------------------------------------------------
  logic judged, emitted;
  logic take_held, give;
  ring_no_t judge_ring;
  logic pool_has_room;
  logic [15:0] walk;
  logic order_valid, order_ready;
  hold_order_e order;
  index_t order_slot;
  held_t order_frame;
  queue_t order_key;
  logic starve_valid, starve_for_room;
  ring_no_t starve_ring;
  logic entry_valid, entry_ready;
  egress_t entry;
  logic pay_valid, pay_ready;
  logic [63:0] pay_buffer;
  length_t pay_bytes;
  logic reach_valid, reach_has_stamp;
  route_t reach_route;
  logic held_note_valid, held_note_ready;
  logic [63:0] held_note_handle;
  logic count_held;

  judge #(
      .PATHS(PATHS), .CONNECTIONS(CONNECTIONS), .TRANSMIT_RINGS(TRANSMIT_RINGS)
  ) u_judge (
      .clk, .rst_n(run_n), .clear, .is_clear(is_judge_clear), .cap_held_per_path,
      .in_valid(route_valid), .in_ready(route_ready), .in_route(route), .in_frame(routed),
      .judged, .emitted, .is_served, .has_room, .takes(judge_takes), .take_valid(take_held),
      .give_valid(give), .slot_ring(judge_ring), .pool_has_room, .walk, .order_valid,
      .order_ready, .order, .order_slot, .order_frame, .order_key, .starve_valid,
      .starve_for_room, .starve_ring, .out_valid(entry_valid), .out_ready(entry_ready),
      .out_entry(entry), .pay_valid, .pay_ready, .pay_buffer, .pay_bytes, .reach_valid,
      .reach_has_stamp, .reach_route, .held_valid(held_note_valid), .held_ready(held_note_ready),
      .held_handle(held_note_handle), .count_held
  );

  logic pause, is_still, unsettle, unsettled;
  hold #(
      .HELD(HELD), .TRANSMIT_RINGS(TRANSMIT_RINGS)
  ) u_hold (
      .clk, .rst_n(run_n), .cap_held_total, .now_ms, .order_valid, .order_ready, .order,
      .order_slot, .order_frame, .order_key, .starve_valid, .starve_for_room, .starve_ring,
      .has_room, .retry_valid, .retry_ready, .retry, .pause, .is_still, .unsettle, .unsettled,
      .has_place(pool_has_room), .walk, .len(held_now), .settled(ring_held), .hungry
  );

  logic stale_valid;
  index_t stale_neighbor;
  logic [31:0] stale_generation;
  logic count_credited, count_stale;
  reach #(
      .NEIGHBORS(NEIGHBORS)
  ) u_reach (
      .clk, .rst_n(run_n), .clear, .is_clear(is_reach_clear), .now_ms, .stale_ms,
      .in_valid(reach_valid), .in_has_stamp(reach_has_stamp), .in_route(reach_route),
      .stale_valid, .stale_neighbor, .stale_generation, .count_credited, .count_stale, .age_req,
      .age_index, .age_field, .age_data
  );

  logic count_lost;
  notices #(
      .NEIGHBORS(NEIGHBORS), .CONNECTIONS(CONNECTIONS)
  ) u_notices (
      .clk, .rst_n(run_n), .clear, .is_clear(is_notices_clear), .now_ms,
      .held_valid(held_note_valid), .held_ready(held_note_ready), .held_handle(held_note_handle),
      .stale_valid, .stale_neighbor, .stale_generation, .is_holding(held_now != '0),
      .notice_valid, .notice_ready, .notice_kind, .notice_handle, .count_lost
  );

  // ---- to the port -------------------------------------------------------------------------------
  logic held_here, held_is_bad, held_taken, held_skipped, held_read;
  line_count_t held_lines;
  line_bits_t held_bits;
  logic held_arrived;
  payload_buf #(
      .LINES(PAYLOAD_LINES)
  ) u_held_payload (
      .clk, .rst_n(run_n), .req_valid(pay_valid), .req_ready(pay_ready), .req_buffer(pay_buffer),
      .req_bytes(pay_bytes), .req_is_void(1'b0),
      .rd_req_valid(rd_req_valid[OF_HELD]),
      .rd_req_ready(rd_req_ready[OF_HELD]),
      .rd_req_line(rd_req_line[OF_HELD]),
      .rd_req_lines(rd_req_lines[OF_HELD]),
      .rd_rsp_valid(rd_rsp_valid[OF_HELD]),
      .rd_rsp_ready(rd_rsp_ready[OF_HELD]),
      .rd_rsp_data(rd_rsp_data[OF_HELD]),
      .rd_rsp_error(rd_rsp_error[OF_HELD]),
      .rd_rsp_last(rd_rsp_last[OF_HELD]), .arrived(held_arrived),
      .frame_valid(held_here), .frame_is_bad(held_is_bad), .frame_lines(held_lines),
      .frame_taken(held_taken), .frame_skipped(held_skipped), .line_read(held_read),
      .line_bits(held_bits)
  );

  logic has_beat_room, step_valid, step_is_held, step_makes_beat, step_is_first, step_is_last;
  logic [5:0] step_turn, step_end;
  header_t step_header;
  logic step_is_tagged;
  logic crossed, is_stalled;
  logic outcome_valid, outcome_ready;
  outcome_t outcome;
  logic settled, count_left, count_dropped;
  length_t count_bytes;

  egress u_egress (
      .clk, .rst_n(run_n), .is_ready, .in_valid(entry_valid), .in_ready(entry_ready),
      .in_entry(entry), .fresh_valid(fresh_here), .fresh_is_bad, .fresh_lines, .fresh_taken,
      .fresh_skipped, .fresh_read, .held_valid(held_here), .held_is_bad, .held_lines, .held_taken,
      .held_skipped, .held_read, .has_room(has_beat_room), .step_valid, .step_is_held,
      .step_makes_beat, .step_is_first, .step_is_last, .step_turn, .step_end, .step_header,
      .step_is_tagged, .crossed, .out_valid(outcome_valid), .out_ready(outcome_ready),
      .out_outcome(outcome), .settled, .count_left, .count_bytes, .count_dropped
  );

  framer #(
      .PORT_STALL_CLOCKS(PORT_STALL_CLOCKS)
  ) u_framer (
      .clk, .rst_n(run_n), .is_ready, .has_room(has_beat_room), .step_valid, .step_is_held,
      .step_makes_beat, .step_is_first, .step_is_last, .step_turn, .step_end, .step_header,
      .step_is_tagged, .fresh_bits, .held_bits, .m_axis_tvalid, .m_axis_tready, .m_axis_tdata,
      .m_axis_tkeep, .m_axis_tlast, .crossed, .is_quiet, .is_stalled
  );

  // A port that takes nothing stops the reader of the table, and so its fences.
  assign fail_valid = is_stalled;
  assign fail_code = FAIL_CODE_FENCE;
  assign fail_cause = 32'd1;

  logic note_interrupt;
  ring_t interrupt_ring;
  tx_cpl #(
      .TRANSMIT_RINGS(TRANSMIT_RINGS)
  ) u_tx_cpl (
      .clk, .rst_n(run_n), .is_ready, .now_ms, .ring_start, .ring_cpl_base, .ring_log2,
      .ring_vector, .ring_moderation_cycles, .is_served, .log2, .ring_reaped, .ring_posted,
      .bad_doorbell(bad_reaped), .bus_error(write_error), .has_room, .take_fresh(take),
      .take_fresh_ring(take_ring), .take_held, .give, .judge_ring, .in_valid(outcome_valid),
      .in_ready(outcome_ready), .in_outcome(outcome), .wr_req_valid, .wr_req_ready, .wr_req_line,
      .wr_req_data, .wr_req_strb, .wr_rsp_valid, .wr_rsp_error, .irq_valid, .irq_ready,
      .irq_vector, .note_interrupt, .note_ring(interrupt_ring)
  );

  // ---- fence, counters, trace --------------------------------------------------------------------
  logic announces;
  logic [31:0] announcing;
  fence u_fence (
      .clk, .rst_n(run_n), .raise_valid, .raise_epoch, .announced, .announces, .announcing,
      .let_in, .judged, .emitted, .settled, .pause, .is_still, .unsettle, .unsettled
  );

  tally u_tally (
      .clk, .rst_n(run_n), .left(count_left), .left_bytes(count_bytes), .dropped(count_dropped),
      .dropped_status(outcome.status), .held(count_held), .credited(count_credited),
      .stale_progress(count_stale), .raised_vector(note_interrupt), .notice_lost(count_lost),
      .bad_doorbell(count_doorbell), .count_valid, .count_number, .count_amount
  );

  tx_trace #(
      .RING_BITS(RING_BITS)
  ) u_tx_trace (
      .clk, .rst_n(run_n), .trace_on, .judged, .held(count_held),
      .settled(count_left || count_dropped), .left(count_left), .announced, .announces,
      .announcing, .note_fetched, .note_doorbell, .note_ring, .note_detail, .note_value,
      .note_interrupt, .interrupt_ring, .interrupt_vector(irq_vector), .trace_valid, .trace_record
  );

endmodule : datapath
