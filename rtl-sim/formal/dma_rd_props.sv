// The rules of AXI reads, of `dma_rd`: a burst that is shown stays as it is until it is taken; INCR,
// 64-byte beats, no crossing of 4 KiB; one burst an ID and at most 32 in all; none after a reset, and
// none that is new once the card is closed.
//
// The memory behind it (`reorder`) is left out: places come free at any time.
// Assumed of the bus: it answers only bursts that it took, with as many beats as were asked for, the
// last one marked; in any order, at any time. Assumed of clients: a request is for 1 to 146 lines,
// and no longer than the client's part if that is less than a page.
// Proved for one symbolic ID, that is, for all of them.

module dma_rd_props
  import flue_rtl_pkg::*;
(
    input logic clk,
    input logic rst_n,
    input logic is_open,
    input logic [RD_CLIENTS-1:0] req_valid,
    input line_t [RD_CLIENTS-1:0] req_line,
    input line_count_t [RD_CLIENTS-1:0] req_lines,
    input logic [RD_CLIENTS-1:0] rsp_ready,
    input logic m_axi_arready,
    input logic [4:0] m_axi_rid,
    input logic [1:0] m_axi_rresp,
    input logic m_axi_rlast,
    input logic m_axi_rvalid,
    input logic [4:0] any_number,
    input logic [4:0] any_slot
);

  localparam int unsigned LINES_MOST = 146;

  logic [RD_CLIENTS-1:0] req_ready;
  logic [4:0] m_axi_arid;
  logic [63:0] m_axi_araddr;
  logic [7:0] m_axi_arlen;
  logic [2:0] m_axi_arsize;
  logic [1:0] m_axi_arburst;
  logic m_axi_arvalid;
  logic m_axi_rready;

  dma_rd u_dut (
      .clk, .rst_n, .is_open, .is_quiet(), .refused(), .req_valid, .req_ready, .req_line,
      .req_lines, .rsp_valid(), .rsp_ready, .rsp_data(), .rsp_error(), .rsp_last(), .m_axi_arid,
      .m_axi_araddr, .m_axi_arlen, .m_axi_arsize, .m_axi_arburst, .m_axi_arvalid, .m_axi_arready,
      .m_axi_rid, .m_axi_rdata('0), .m_axi_rresp, .m_axi_rlast, .m_axi_rvalid, .m_axi_rready
  );

  logic is_begun = 1'b0;
  logic [4:0] number, slot;
  always_ff @(posedge clk) begin
    is_begun <= 1'b1;
    if (!is_begun) begin
      number <= any_number;
      slot <= any_slot;
    end
  end

  // ---- the bus: bursts that are out, and beats that the symbolic ID is owed ---------------------
  logic [6:0] owed;
  logic [5:0] bursts_out;
  logic takes, ends;
  assign takes = m_axi_arvalid && m_axi_arready;
  assign ends  = m_axi_rvalid && m_axi_rlast;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      owed <= '0;
      bursts_out <= '0;
    end else begin
      if (m_axi_rvalid && m_axi_rid == number) owed <= owed - 7'd1;
      if (takes && m_axi_arid == number) owed <= 7'(m_axi_arlen + 8'd1);
      bursts_out <= bursts_out + 6'(takes) - 6'(ends);
    end
  end

  always @(posedge clk) begin
    assume (is_begun || !rst_n);
    if (rst_n) begin
      assume (!m_axi_rvalid || bursts_out != '0);
      assume (!m_axi_rvalid || m_axi_rid != number
          || owed != '0 && m_axi_rlast == (owed == 7'd1));
      for (int c = 0; c < RD_CLIENTS; c++)
        assume (!req_valid[c] || req_lines[c] != '0
            && 32'(req_lines[c]) <= (RD_SIZE[c] < PAGE_LINES ? RD_SIZE[c] : LINES_MOST));
    end
  end

  // ---- the rules --------------------------------------------------------------------------------
  logic was_stalled, was_reset;
  logic [76:0] shown, was_shown;
  logic [2:0] since_closed;
  assign shown = {m_axi_arid, m_axi_araddr, m_axi_arlen};
  always_ff @(posedge clk) begin
    was_reset <= !rst_n;
    was_stalled <= rst_n && m_axi_arvalid && !m_axi_arready;
    was_shown <= shown;
    // Bursts that were shown when the card closed may still be taken.
    if (!rst_n || is_open) since_closed <= '0;
    else if (takes && since_closed != '1) since_closed <= since_closed + 3'd1;
  end

  always @(posedge clk) begin
    if (rst_n) begin
      if (was_stalled) ar_stays: assert (m_axi_arvalid && shown == was_shown);
      if (m_axi_arvalid) begin
        ar_form: assert (m_axi_arsize == 3'd6 && m_axi_arburst == 2'd1 && !m_axi_arlen[7]);
        ar_page: assert ({1'b0, m_axi_araddr[11:6]} + m_axi_arlen[6:0] < 7'(PAGE_LINES));
        ar_one_an_id: assert (m_axi_arid != number || owed == '0);
        ar_most: assert (bursts_out < 6'(READ_IDS));
      end
      r_taken: assert (m_axi_rready);
      if (was_reset) quiet_after_reset: assert (!m_axi_arvalid);
      closed: assert (since_closed <= 3'd3);
    end
  end

  // ---- invariants: the symbolic ID is in one place ----------------------------------------------
  logic [5:0] ids_kept;
  logic [2:0] ars;
  logic [6:0] left;  // lines of its burst that did not reach their place
  // Where among the IDs that came back it waits.
  logic is_kept, is_popped, is_slot_wrong;
  logic [4:0] kept_slot, slot_ahead, kept_ahead;
  logic [3:0] is_ar, is_ar_sane;
  logic [3:0][4:0] ar_id;
  logic [3:0][6:0] ar_lines;
  logic [3:0][1:0] ar_ahead;
  logic [6:0] homes;
  logic [7:0] due;
  logic has_come;

  assign ids_kept = u_dut.u_ids.filled - u_dut.u_ids.taken;
  assign ars = u_dut.u_ar.filled - u_dut.u_ar.taken;
  assign slot_ahead = slot - u_dut.u_ids.taken[4:0];
  assign kept_ahead = kept_slot - u_dut.u_ids.taken[4:0];
  assign is_popped = u_dut.leaves && !u_dut.is_fresh && u_dut.id == number;
  assign is_slot_wrong = {1'b0, slot_ahead} < ids_kept && u_dut.u_ids.places[slot] == number
      && !(is_kept && kept_slot == slot);
  assign has_come = u_dut.r_valid && u_dut.r_id == number;
  always_comb begin
    homes = 7'(is_kept) + 7'({1'b0, number} >= u_dut.ids_fresh)
        + 7'(owed != '0) + 7'(has_come && u_dut.r_last);
    due = 8'(owed) + 8'(has_come);
    for (int k = 0; k < 4; k++) begin
      ar_id[k] = u_dut.u_ar.places[k][68:64];
      ar_lines[k] = {1'b0, u_dut.u_ar.places[k][5:0]} + 7'd1;
      ar_ahead[k] = 2'(k) - u_dut.u_ar.taken[1:0];
      is_ar[k] = {1'b0, ar_ahead[k]} < ars;
      is_ar_sane[k] = !is_ar[k]
          || 8'(u_dut.u_ar.places[k][11:6]) + 8'(ar_lines[k]) <= 8'(PAGE_LINES);
      if (is_ar[k] && ar_id[k] == number) begin
        homes = homes + 7'd1;
        due = due + 8'(ar_lines[k]);
      end
    end
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      left <= '0;
      is_kept <= 1'b0;
    end else begin
      if (is_popped) is_kept <= 1'b0;
      if (u_dut.id_is_pushed && u_dut.r_id == number) begin
        is_kept <= 1'b1;
        kept_slot <= u_dut.u_ids.filled[4:0];
      end
      if (has_come) left <= left - 7'd1;
      if (u_dut.leaves && u_dut.id == number) left <= u_dut.cut[u_dut.leaving].lines;
    end
  end

  always @(posedge clk) begin
    if (rst_n) begin
      // If an ID is ever taken from a slot that it is not in, that is the symbolic one.
      assume (!is_popped || is_kept && kept_ahead == '0 || slot_ahead == '0);
      closed_soon: assert (4'(since_closed) + 4'(u_dut.ars) <= 4'd3);
      ars_kept: assert (4'(u_dut.ars) == 4'(ars) + 4'(u_dut.leaves));
      ids: assert (u_dut.ids_fresh <= 6'(READ_IDS) && ids_kept <= 6'(READ_IDS)
          && u_dut.ids_free <= 6'(READ_IDS) && 7'(u_dut.ids_free) + 7'(u_dut.leaves)
              == 7'(READ_IDS) - 7'(u_dut.ids_fresh) + 7'(ids_kept));
      ids_all: assert (7'(bursts_out) + 7'(ars) + 7'(u_dut.id_is_pushed) + 7'(ids_kept)
          + 7'(READ_IDS) - 7'(u_dut.ids_fresh) == 7'(READ_IDS));
      one_home: assert (homes == 7'd1);
      one_slot: assert (!is_slot_wrong);
      kept_slot_has_it: assert (!is_kept || {1'b0, kept_ahead} < ids_kept
          && u_dut.u_ids.places[kept_slot] == number);
      all_due: assert (8'(left) == due && left <= 7'(PAGE_LINES));
      ar_kept: assert (&is_ar_sane);
      id_is_free: assert (!u_dut.leaves || u_dut.id != number || left == '0);
      r_is_due: assert (!has_come || left != '0
          && u_dut.r_last == (left == 7'd1));
    end
  end

  // ---- invariants: what each client has asked for -----------------------------------------------
  logic [RD_CLIENTS-1:0] is_client_sane;
  for (genvar c = 0; c < RD_CLIENTS; c++) begin : g_client
    logic [2:0] cuts;
    logic [3:0] is_cut_sane;
    logic [7:0] to_page;
    assign cuts = u_dut.g_client[c].u_cuts.filled - u_dut.g_client[c].u_cuts.taken;
    assign to_page = 8'(PAGE_LINES) - {2'd0, u_dut.g_client[c].line[5:0]};
    for (genvar k = 0; k < 4; k++) begin : g_cut
      logic [1:0] ahead;
      logic [7:0] lines, first;
      assign ahead = 2'(k) - u_dut.g_client[c].u_cuts.taken[1:0];
      assign lines = {1'b0, u_dut.g_client[c].u_cuts.places[k][16:10]};
      assign first = {2'd0, u_dut.g_client[c].u_cuts.places[k][22:17]};
      assign is_cut_sane[k] = {1'b0, ahead} >= cuts
          || lines != '0 && first + lines <= 8'(PAGE_LINES);
    end
    assign is_client_sane[c] = cuts <= 3'd4 && (&is_cut_sane)
        && 4'(cuts) == 4'(u_dut.g_client[c].waiting) + 4'(u_dut.is_leaving[c])
        && (!u_dut.g_client[c].is_busy
            || u_dut.g_client[c].left != '0 && {1'b0, u_dut.g_client[c].to_page} == to_page);
  end

  always @(posedge clk) begin
    if (rst_n) begin
      clients: assert ((&is_client_sane) && 32'(u_dut.leaving) < RD_CLIENTS);
    end
  end

endmodule : dma_rd_props
