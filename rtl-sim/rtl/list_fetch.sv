// Fetches chunks of lists of handles, one a command ring at a time, for the firmware.
//
// From the core's stores (address, entries, then the number of the request) to the list buffers,
// and back by the number that was answered. A chunk that cannot be read is answered as refused;
// so is one of a ring that was stopped. It does not look into handles.
// Invariant: a ring has at most one request under way; what lies in the other buffer of a ring stays.

module list_fetch
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
#(
    parameter int unsigned RINGS = COMMAND_RINGS_DEFAULT  // command rings, 1 to 8
) (
    input  logic                   clk,
    input  logic                   rst_n,
    input  logic                   is_open,
    input  logic [RINGS-1:0]       ring_running,
    // Stores of the core: LIST_LOW, LIST_HIGH, LIST_ENTRIES, LIST_ASKED of one ring.
    input  logic [RINGS-1:0]       set_low,
    input  logic [RINGS-1:0]       set_high,
    input  logic [RINGS-1:0]       set_entries,
    input  logic [RINGS-1:0]       set_asked,
    input  logic [31:0]            set_value,
    output logic [RINGS-1:0][31:0] answered,
    output logic [RINGS-1:0]       refused,
    output logic                   arrived,        // pulse: a chunk was answered
    // The list buffers: 16 lines each, several a ring.
    output logic                   list_we,
    output logic [7:0]             list_line,      // ring, buffer, line
    output line_bits_t             list_data,
    // DMA
    output logic                   rd_req_valid,
    input  logic                   rd_req_ready,
    output line_t                  rd_req_line,
    output line_count_t            rd_req_lines,
    input  logic                   rd_rsp_valid,
    output logic                   rd_rsp_ready,
    input  line_bits_t             rd_rsp_data,
    input  logic                   rd_rsp_error,
    input  logic                   rd_rsp_last,
    output logic                   note_valid,
    output trace_note_t            note
);

  localparam int unsigned BITS = RINGS > 1 ? $clog2(RINGS) : 1;
  typedef logic [BITS-1:0] ring_t;
  // Entries of a chunk, 0 to LIMIT_LIST_CHUNK.
  typedef logic [7:0] entries_t;

  line_t [RINGS-1:0] line;
  entries_t [RINGS-1:0] entries;
  logic [RINGS-1:0] buffer;
  logic [RINGS-1:0][31:0] asked;
  logic [RINGS-1:0] is_waiting;  // asked for, and not yet requested

  ring_t turn;
  ring_t picked;
  logic is_picked;
  logic is_asking;
  logic has_order_room;
  ring_t now_ring;
  entries_t now_entries;
  logic now_buffer;
  logic is_under_way;
  logic is_over;
  logic is_refused;
  logic has_erred;
  logic [3:0] offset;

  rotate_pick #(
      .N(RINGS)
  ) u_pick (
      .wants(is_waiting),
      .turn (turn),
      .any  (is_picked),
      .which(picked)
  );

  assign is_asking = is_picked && has_order_room && is_open && (!rd_req_valid || rd_req_ready);

  stream_fifo #(
      .WIDTH(BITS + 1 + 8),
      .DEPTH_LOG2(3)
  ) u_order (
      .clk(clk),
      .rst_n(rst_n),
      .in_valid(is_asking),
      .in_ready(has_order_room),
      .in_bits({picked, buffer[picked], entries[picked]}),
      .out_valid(is_under_way),
      .out_ready(is_over),
      .out_bits({now_ring, now_buffer, now_entries})
  );

  assign rd_rsp_ready = 1'b1;
  assign is_over = rd_rsp_valid && rd_rsp_last;
  assign is_refused = has_erred || rd_rsp_error;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      line       <= '0;
      entries    <= '0;
      buffer     <= '0;
      asked      <= '0;
      answered   <= '0;
      refused    <= '0;
      is_waiting <= '0;
    end else begin
      if (is_asking) is_waiting[picked] <= 1'b0;
      if (is_over) begin
        answered[now_ring] <= asked[now_ring];
        refused[now_ring]  <= is_refused;
      end
      for (int unsigned r = 0; r < RINGS; r++) begin
        if (set_low[r]) line[r][25:0] <= set_value[31:6];
        if (set_high[r]) line[r][57:26] <= set_value;
        if (set_entries[r]) begin
          entries[r] <= set_value[15:0] > LIMIT_LIST_CHUNK[15:0] ? entries_t'(LIMIT_LIST_CHUNK) :
              set_value[7:0];
          buffer[r] <= set_value[16];
        end
        if (set_asked[r]) begin
          asked[r]      <= set_value;
          answered[r]   <= set_value - 32'd1;
          refused[r]    <= 1'b0;
          is_waiting[r] <= entries[r] != '0;
          if (entries[r] == '0) answered[r] <= set_value;
        end
        if (!ring_running[r]) begin
          answered[r]   <= set_asked[r] ? set_value : asked[r];
          refused[r]    <= 1'b1;
          is_waiting[r] <= 1'b0;
        end
      end
    end
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      turn         <= '0;
      rd_req_valid <= 1'b0;
      rd_req_line  <= '0;
      rd_req_lines <= '0;
      offset       <= '0;
      has_erred    <= 1'b0;
      list_we      <= 1'b0;
      arrived      <= 1'b0;
      note_valid   <= 1'b0;
    end else begin
      if (rd_req_ready) rd_req_valid <= 1'b0;
      if (is_asking) begin
        turn         <= picked;
        rd_req_valid <= 1'b1;
        rd_req_line  <= line[picked];
        rd_req_lines <= (entries[picked] + 8'd7) >> 3;
      end
      if (rd_rsp_valid) begin
        offset    <= rd_rsp_last ? '0 : offset + 4'd1;
        has_erred <= !rd_rsp_last && is_refused;
      end
      list_we    <= rd_rsp_valid && ring_running[now_ring];
      arrived    <= is_over;
      note_valid <= is_over && ring_running[now_ring];
    end
  end
  always_ff @(posedge clk) begin
    list_line <= {3'(now_ring), now_buffer, offset};
    list_data <= rd_rsp_data;
    note      <= '{
        kind: TRACE_KIND_LIST,
        ring: 8'(now_ring),
        detail: 16'(now_entries),
        value: '0
    };
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      assert (!rd_rsp_valid || is_under_way)
      else $error("a chunk came that was not asked for");
    end
  end
`endif

endmodule : list_fetch
