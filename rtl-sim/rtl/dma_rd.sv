// Reads of host memory: requests of several clients in, AXI bursts out, lines back in the order of
// each client's requests.
//
// A request is cut where a page of 4 KiB ends. Each burst has a read ID of its own, so bursts may
// be answered in any order; the lines land in the client's part of the reorder memory, at places
// that were set aside before the burst left. Between clients there is no order. A client may ask for
// a burst in every clock, and one leaves in every clock.
//
//   request -> [cut, places] -> queue -> [pick] -> [ID] -> AR      R -> [place] -> reorder -> client
//
// Frames (FRESH, HELD) leave some IDs to the others, and some to each other: a client that does
// not take its lines holds up nobody else.
// Invariants: one outstanding read an ID; no line without a place; no burst while the card is not
// open.

module dma_rd
  import flue_rtl_pkg::*;
(
    input  logic                           clk,
    input  logic                           rst_n,
    input  logic                           is_open,        // new bursts may leave
    output logic                           is_quiet,       // nothing is outstanding
    output logic                           refused,        // pulse: a burst was refused
    // Clients, by number.
    input  logic        [RD_CLIENTS-1:0]   req_valid,
    output logic        [RD_CLIENTS-1:0]   req_ready,
    input  line_t       [RD_CLIENTS-1:0]   req_line,
    input  line_count_t [RD_CLIENTS-1:0]   req_lines,      // 1 or more
    output logic        [RD_CLIENTS-1:0]   rsp_valid,
    input  logic        [RD_CLIENTS-1:0]   rsp_ready,
    output line_bits_t  [RD_CLIENTS-1:0]   rsp_data,
    output logic        [RD_CLIENTS-1:0]   rsp_error,      // this line was refused
    output logic        [RD_CLIENTS-1:0]   rsp_last,       // of its request
    // AXI
    output logic        [4:0]              m_axi_arid,
    output logic        [63:0]             m_axi_araddr,
    output logic        [7:0]              m_axi_arlen,
    output logic        [2:0]              m_axi_arsize,
    output logic        [1:0]              m_axi_arburst,
    output logic                           m_axi_arvalid,
    input  logic                           m_axi_arready,
    input  logic        [4:0]              m_axi_rid,
    input  line_bits_t                     m_axi_rdata,
    input  logic        [1:0]              m_axi_rresp,
    input  logic                           m_axi_rlast,
    input  logic                           m_axi_rvalid,
    output logic                           m_axi_rready
);

  // ---- read IDs and places ----------------------------------------------------------------------
  // IDs that clients other than FRESH and HELD find free, and the most that each may have.
  localparam logic [5:0] IDS_SPARED = 6'd8;
  localparam logic [5:0] IDS_MOST[RD_CLIENTS] = '{6'd16, 6'd16, 6'd4, 6'd20, 6'd20};
  // Bursts that were picked and not taken by the bus yet.
  localparam logic [1:0] AR_MOST = 2'd3;

  typedef struct packed {
    line_t line;
    logic [6:0] lines;
    rd_position_t position;
    logic is_final;  // the request ends with this burst
  } cut_t;

  // What a burst's lines need to know.
  typedef struct packed {
    rd_client_t client;
    rd_position_t position;  // of the first one
    logic is_final;
  } burst_t;

  // ---- requests: cut into bursts, which get their places ----------------------------------------
  logic [RD_CLIENTS-1:0] wants;
  logic [RD_CLIENTS-1:0] is_picked;
  logic [RD_CLIENTS-1:0] is_leaving;
  cut_t [RD_CLIENTS-1:0] cut;
  logic [RD_CLIENTS-1:0] has_cut;
  logic [RD_CLIENTS-1:0] is_delivered;  // a line leaves its place
  logic [RD_CLIENTS-1:0] is_ended;  // a burst was answered
  logic [5:0] ids_free;

  for (genvar c = 0; c < RD_CLIENTS; c++) begin : g_client
    localparam logic IS_BULK = c == RD_FRESH || c == RD_HELD;
    logic is_busy;  // a request is being cut
    line_t line;
    line_count_t left;
    logic [6:0] to_page;
    rd_position_t position;
    logic [8:0] room;
    logic [6:0] lines;
    logic is_final;
    logic has_room;
    logic is_cut;
    logic has_place;
    logic [2:0] waiting;  // bursts in the queue that were not picked
    logic [5:0] ids;

    assign is_final = left <= {1'b0, to_page};
    assign lines = is_final ? left[6:0] : to_page;
    // Which of the two it is makes no difference: it is the smaller one.
    assign has_room = room >= {1'b0, left} || room >= {2'd0, to_page};
    assign is_cut = is_busy && has_room && has_place;
    assign req_ready[c] = is_open && (!is_busy || is_cut && is_final);
    assign wants[c] = waiting != '0 && ids < IDS_MOST[c] &&
        ids_free > (IS_BULK ? IDS_SPARED : 6'd0);

    stream_fifo #(
        .WIDTH($bits(cut_t)),
        .DEPTH_LOG2(2)
    ) u_cuts (
        .clk, .rst_n, .in_valid(is_busy && has_room), .in_ready(has_place),
        .in_bits({line, lines, position, is_final}), .out_valid(has_cut[c]),
        .out_ready(is_leaving[c]), .out_bits(cut[c])
    );

    always_ff @(posedge clk) begin
      if (!rst_n) begin
        is_busy  <= 1'b0;
        position <= '0;
        room     <= 9'(RD_SIZE[c]);
        waiting  <= '0;
        ids      <= '0;
      end else begin
        if (req_ready[c]) is_busy <= req_valid[c];
        else if (is_cut && is_final) is_busy <= 1'b0;
        if (is_cut) position <= position + rd_position_t'(lines);
        room    <= (is_cut ? room - {2'd0, lines} : room) + 9'(is_delivered[c]);
        waiting <= waiting + 3'(is_cut) - 3'(is_picked[c]);
        ids     <= ids + 6'(is_picked[c]) - 6'(is_ended[c]);
      end
    end
    always_ff @(posedge clk) begin
      if (req_ready[c]) begin
        line    <= req_line[c];
        left    <= req_lines[c];
        to_page <= 7'(PAGE_LINES) - {1'b0, req_line[c][5:0]};
      end else if (is_cut) begin
        line    <= {line[57:6] + 52'd1, 6'd0};
        left    <= left - {1'b0, to_page};
        to_page <= 7'(PAGE_LINES);
      end
    end
  end

  // ---- one burst a clock, clients in turn -------------------------------------------------------
  rd_client_t turn;
  rd_client_t picked;
  logic       is_wanted;
  logic       picks;
  logic       leaves;
  rd_client_t leaving;
  logic [1:0] ars;  // bursts that were picked and not taken

  rotate_pick #(
      .N(RD_CLIENTS)
  ) u_pick_request (
      .wants,
      .turn,
      .any  (is_wanted),
      .which(picked)
  );

  assign picks = is_wanted && is_open && ars != AR_MOST;
  always_comb begin
    is_picked = '0;
    is_picked[picked] = picks;
    is_leaving = '0;
    is_leaving[leaving] = leaves;
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      turn   <= '0;
      ars    <= '0;
      leaves <= 1'b0;
    end else begin
      if (picks) turn <= picked;
      ars    <= ars + 2'(picks) - 2'(m_axi_arvalid && m_axi_arready);
      leaves <= picks;
    end
  end
  always_ff @(posedge clk) begin
    leaving <= picked;
  end

  // ---- read IDs: the first round counts them up, later ones come back ---------------------------
  logic [5:0] ids_fresh;
  logic [4:0] id_back;
  logic [4:0] id;
  logic id_back_valid;
  logic id_is_pushed;
  logic [4:0] id_pushed;
  logic is_fresh;
  logic has_id_room;

  assign is_fresh = ids_fresh != 6'(READ_IDS);
  assign id = is_fresh ? ids_fresh[4:0] : id_back;

  stream_fifo #(
      .WIDTH(5),
      .DEPTH_LOG2(5)
  ) u_ids (
      .clk(clk),
      .rst_n(rst_n),
      .in_valid(id_is_pushed),
      .in_ready(has_id_room),
      .in_bits(id_pushed),
      .out_valid(id_back_valid),
      .out_ready(leaves && !is_fresh),
      .out_bits(id_back)
  );

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      ids_fresh <= '0;
      ids_free  <= 6'(READ_IDS);
    end else begin
      ids_fresh <= ids_fresh + 6'(leaves && is_fresh);
      ids_free  <= ids_free + 6'(id_is_pushed) - 6'(picks);
    end
  end

  logic has_ar_place;
  stream_fifo #(
      .WIDTH(5 + 58 + 6),
      .DEPTH_LOG2(2)
  ) u_ar (
      .clk(clk),
      .rst_n(rst_n),
      .in_valid(leaves),
      .in_ready(has_ar_place),
      .in_bits({id, cut[leaving].line, 6'(cut[leaving].lines - 7'd1)}),
      .out_valid(m_axi_arvalid),
      .out_ready(m_axi_arready),
      .out_bits({m_axi_arid, m_axi_araddr[63:6], m_axi_arlen[5:0]})
  );
  assign m_axi_araddr[5:0] = '0;
  assign m_axi_arlen[7:6] = '0;
  assign m_axi_arsize = 3'd6;
  assign m_axi_arburst = 2'd1;

  // ---- answers: each line to its place ----------------------------------------------------------
  burst_t bursts[READ_IDS];  // written when a burst leaves; its lines come later
  rd_position_t positions[READ_IDS];  // of the next line, but for the first
  logic [READ_IDS-1:0] has_begun;
  logic [READ_IDS-1:0] has_erred;
  logic r_valid;
  logic [4:0] r_id;
  logic r_error;
  logic r_last;
  line_bits_t r_data;
  burst_t r_burst;
  rd_position_t r_position;

  assign m_axi_rready = 1'b1;
  assign r_burst = bursts[r_id];
  assign r_position = has_begun[r_id] ? positions[r_id] : r_burst.position;

  always_ff @(posedge clk) begin
    if (leaves) begin
      bursts[id] <= '{
          client: leaving,
          position: cut[leaving].position,
          is_final: cut[leaving].is_final
      };
    end
  end
  always_ff @(posedge clk) begin
    if (r_valid) positions[r_id] <= r_position + rd_position_t'(1);
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      r_valid   <= 1'b0;
      has_begun <= '0;
      has_erred <= '0;
      refused   <= 1'b0;
    end else begin
      r_valid <= m_axi_rvalid;
      if (r_valid) begin
        has_begun[r_id] <= !r_last;
        has_erred[r_id] <= !r_last && (has_erred[r_id] || r_error);
      end
      refused <= id_is_pushed && (has_erred[r_id] || r_error);
    end
  end
  always_ff @(posedge clk) begin
    r_id    <= m_axi_rid;
    r_error <= m_axi_rresp != 2'd0;
    r_last  <= m_axi_rlast;
    r_data  <= m_axi_rdata;
  end

  assign id_is_pushed = r_valid && r_last;
  assign id_pushed = r_id;

  logic placed_valid;
  logic placed_ends;
  rd_client_t placed_client;
  rd_place_t placed_at;
  logic placed_lap;
  logic placed_last;
  logic placed_error;
  line_bits_t placed_data;

  always_ff @(posedge clk) begin
    if (!rst_n) placed_valid <= 1'b0;
    else placed_valid <= r_valid;
  end
  always_ff @(posedge clk) begin
    placed_client <= r_burst.client;
    placed_ends   <= r_last;
    placed_last   <= r_last && r_burst.is_final;
    placed_error  <= r_error;
    placed_data   <= r_data;
    for (int c = 0; c < RD_CLIENTS; c++) begin
      if (r_burst.client == rd_client_t'(c)) begin
        placed_at  <= rd_place_t'(RD_FIRST[c]) | r_position & rd_place_t'(RD_SIZE[c] - 1);
        placed_lap <= !r_position[$clog2(RD_SIZE[c])];
      end
    end
  end
  always_comb begin
    is_ended = '0;
    is_ended[placed_client] = placed_valid && placed_ends;
  end

  reorder u_reorder (
      .clk, .rst_n, .in_valid(placed_valid), .in_client(placed_client), .in_place(placed_at),
      .in_lap(placed_lap), .in_last(placed_last), .in_error(placed_error), .in_data(placed_data),
      .is_delivered, .rsp_valid, .rsp_ready, .rsp_data, .rsp_error, .rsp_last
  );

  always_ff @(posedge clk) begin
    if (!rst_n) is_quiet <= 1'b0;
    else is_quiet <= ids_free == 6'(READ_IDS) && !picks;
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      assert (!leaves || has_cut[leaving])
      else $error("a burst leaves that was not cut");
      assert (!leaves || is_fresh || id_back_valid)
      else $error("a burst leaves without an ID");
      assert (!m_axi_arvalid ||
              {1'b0, m_axi_araddr[11:6]} + m_axi_arlen[6:0] < 7'(PAGE_LINES))
      else $error("a burst crosses 4 KiB");
      assert (has_id_room || !id_is_pushed)
      else $error("more IDs came back than there are");
      assert (has_ar_place || !leaves)
      else $error("a burst leaves that the bus has no place for");
      for (int c = 0; c < RD_CLIENTS; c++) begin
        assert (!req_valid[c] || req_lines[c] != '0)
        else $error("client %0d asks for nothing", c);
        assert (RD_SIZE[c] >= PAGE_LINES || !req_valid[c] || 32'(req_lines[c]) <= RD_SIZE[c])
        else $error("client %0d asks for more than it has places", c);
      end
    end
  end
`endif

endmodule : dma_rd
