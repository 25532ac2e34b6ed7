// Reads of host memory: requests of several clients in, AXI bursts out, lines back in the order of
// each client's requests.
//
// A request is cut where a page of 4 KiB ends. Each burst has a read ID of its own, so bursts may
// be answered in any order; the lines land in the client's part of the reorder memory, at places
// that were set aside before the burst left. Between clients there is no order.
//
//   request -> [cut] -> [grant: ID, places] -> AR          R -> [places] -> [deliver] -> client
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

  // Where a burst's next line goes. `lap` tells lines of one lap of a part from the last one's.
  typedef struct packed {
    rd_client_t client;
    rd_place_t  place;
    logic       lap;
    logic       is_final;  // the request ends with this burst
  } burst_t;

  // ---- requests: cut into bursts ----------------------------------------------------------------
  typedef enum logic [1:0] {
    IDLE,
    CUT,
    WAIT
  } step_e;

  logic [RD_CLIENTS-1:0] is_eligible;
  logic [RD_CLIENTS-1:0] grant;
  line_t [RD_CLIENTS-1:0] cut_line;
  logic [RD_CLIENTS-1:0][6:0] cut_lines;
  logic [RD_CLIENTS-1:0] cut_is_final;
  rd_place_t [RD_CLIENTS-1:0] cut_place;
  logic [RD_CLIENTS-1:0] cut_lap;
  logic [RD_CLIENTS-1:0] is_delivered;  // a line leaves its place
  logic [RD_CLIENTS-1:0] is_ended;  // a burst was answered
  logic [5:0] ids_free;

  for (genvar c = 0; c < RD_CLIENTS; c++) begin : g_client
    localparam logic IsBulk = c == RD_FRESH || c == RD_HELD;
    step_e step;
    line_count_t left;
    logic [8:0] room;
    logic [5:0] ids;
    logic [6:0] to_page;
    logic [9:0] next_place;

    assign req_ready[c] = step == IDLE && is_open;
    assign to_page = 7'(PAGE_LINES) - {1'b0, cut_line[c][5:0]};
    assign cut_is_final[c] = left == {1'b0, cut_lines[c]};
    assign is_eligible[c] = step == WAIT && room >= {2'd0, cut_lines[c]} && ids < IDS_MOST[c] &&
        ids_free > (IsBulk ? IDS_SPARED : 6'd0);
    assign next_place = {1'b0, cut_place[c]} + {3'd0, cut_lines[c]};

    always_ff @(posedge clk) begin
      if (!rst_n) begin
        step         <= IDLE;
        left         <= '0;
        cut_line[c]  <= '0;
        cut_lines[c] <= '0;
        cut_place[c] <= rd_place_t'(RD_FIRST[c]);
        cut_lap[c]   <= 1'b1;
        room         <= 9'(RD_SIZE[c]);
        ids          <= '0;
      end else begin
        unique case (step)
          IDLE: begin
            cut_line[c] <= req_line[c];
            left        <= req_lines[c];
            if (req_valid[c] && is_open) step <= CUT;
          end
          CUT: begin
            cut_lines[c] <= left < {1'b0, to_page} ? left[6:0] : to_page;
            step         <= WAIT;
          end
          default: begin
            if (grant[c]) begin
              step        <= cut_is_final[c] ? IDLE : CUT;
              left        <= left - {1'b0, cut_lines[c]};
              cut_line[c] <= cut_line[c] + 58'(cut_lines[c]);
              if (next_place >= 10'(RD_FIRST[c] + RD_SIZE[c])) begin
                cut_place[c] <= rd_place_t'(next_place - 10'(RD_SIZE[c]));
                cut_lap[c]   <= !cut_lap[c];
              end else begin
                cut_place[c] <= rd_place_t'(next_place);
              end
            end
          end
        endcase
        room <= room + 9'(is_delivered[c]) - (grant[c] ? {2'd0, cut_lines[c]} : 9'd0);
        ids  <= ids + 6'(grant[c]) - 6'(is_ended[c]);
      end
    end
  end

  // ---- one burst a clock, clients in turn -------------------------------------------------------
  rd_client_t turn;
  rd_client_t granted;
  logic    is_granted;
  logic    ar_ready;

  rotate_pick #(
      .N(RD_CLIENTS)
  ) u_pick_request (
      .wants(is_eligible),
      .turn (turn),
      .any  (is_granted),
      .which(granted)
  );

  logic is_leaving;
  assign is_leaving = is_granted && ar_ready && is_open;
  always_comb begin
    grant = '0;
    grant[granted] = is_leaving;
  end

  always_ff @(posedge clk) begin
    if (!rst_n) turn <= '0;
    else if (is_leaving) turn <= granted;
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
      .out_ready(is_leaving && !is_fresh),
      .out_bits(id_back)
  );

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      ids_fresh <= '0;
      ids_free  <= 6'(READ_IDS);
    end else begin
      ids_fresh <= ids_fresh + 6'(is_leaving && is_fresh);
      ids_free  <= ids_free + 6'(id_is_pushed) - 6'(is_leaving);
    end
  end

  stream_fifo #(
      .WIDTH(5 + 58 + 7),
      .DEPTH_LOG2(1)
  ) u_ar (
      .clk(clk),
      .rst_n(rst_n),
      .in_valid(is_granted && is_open),
      .in_ready(ar_ready),
      .in_bits({id, cut_line[granted], cut_lines[granted] - 7'd1}),
      .out_valid(m_axi_arvalid),
      .out_ready(m_axi_arready),
      .out_bits({m_axi_arid, m_axi_araddr[63:6], m_axi_arlen[6:0]})
  );
  assign m_axi_araddr[5:0] = '0;
  assign m_axi_arlen[7] = 1'b0;
  assign m_axi_arsize = 3'd6;
  assign m_axi_arburst = 2'd1;

  // ---- answers: each line to its place ----------------------------------------------------------
  burst_t bursts[READ_IDS];
  logic r_valid;
  logic [4:0] r_id;
  logic r_error;
  logic r_last;
  line_bits_t r_data;
  burst_t r_burst;
  rd_place_t r_end;
  burst_t r_next;
  logic [READ_IDS-1:0] has_erred;

  assign m_axi_rready = 1'b1;
  assign r_burst = bursts[r_id];
  assign r_end = rd_place_t'(RD_FIRST[r_burst.client] + RD_SIZE[r_burst.client] - 1);

  always_comb begin
    r_next = r_burst;
    r_next.place = r_burst.place + rd_place_t'(1);
    if (r_burst.place == r_end) begin
      r_next.place = rd_place_t'(RD_FIRST[r_burst.client]);
      r_next.lap   = !r_burst.lap;
    end
  end

  always_ff @(posedge clk) begin
    if (!rst_n) r_valid <= 1'b0;
    else r_valid <= m_axi_rvalid;
  end
  always_ff @(posedge clk) begin
    r_id    <= m_axi_rid;
    r_error <= m_axi_rresp != 2'd0;
    r_last  <= m_axi_rlast;
    r_data  <= m_axi_rdata;
  end

  // A burst's entry is written when it leaves; its lines come later.
  always_ff @(posedge clk) begin
    if (is_leaving) begin
      bursts[id] <= '{
          client: granted,
          place: cut_place[granted],
          lap: cut_lap[granted],
          is_final: cut_is_final[granted]
      };
    end
    if (r_valid) bursts[r_id] <= r_next;
  end

  assign id_is_pushed = r_valid && r_last;
  assign id_pushed = r_id;
  always_comb begin
    is_ended = '0;
    is_ended[r_burst.client] = id_is_pushed;
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      has_erred <= '0;
      refused   <= 1'b0;
    end else begin
      if (r_valid) has_erred[r_id] <= !r_last && (has_erred[r_id] || r_error);
      refused <= id_is_pushed && (has_erred[r_id] || r_error);
    end
  end

  reorder u_reorder (
      .clk, .rst_n, .in_valid(r_valid), .in_client(r_burst.client), .in_place(r_burst.place),
      .in_lap(r_burst.lap), .in_last(r_last && r_burst.is_final), .in_error(r_error),
      .in_data(r_data), .is_delivered, .rsp_valid, .rsp_ready, .rsp_data, .rsp_error, .rsp_last
  );

  always_ff @(posedge clk) begin
    if (!rst_n) is_quiet <= 1'b0;
    else is_quiet <= ids_free == 6'(READ_IDS) && !is_leaving;
  end

`ifndef SYNTHESIS
  always @(posedge clk) begin
    if (rst_n) begin
      assert (!is_leaving || is_fresh || id_back_valid)
      else $error("a burst leaves without an ID");
      assert (!m_axi_arvalid ||
              {1'b0, m_axi_araddr[11:6]} + m_axi_arlen[6:0] < 7'(PAGE_LINES))
      else $error("a burst crosses 4 KiB");
      assert (has_id_room || !id_is_pushed)
      else $error("more IDs came back than there are");
      for (int c = 0; c < RD_CLIENTS; c++) begin
        assert (!req_valid[c] || req_lines[c] != '0)
        else $error("client %0d asks for nothing", c);
      end
    end
  end
`endif

endmodule : dma_rd
