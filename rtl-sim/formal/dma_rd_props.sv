// The rules of AXI reads, of `dma_rd`: a burst that is shown stays as it is until it is taken; INCR,
// 64-byte beats, no crossing of 4 KiB; one burst an ID and at most 32 in all; none after a reset, and
// none that is new once the card is closed.
//
// The memory behind it (`reorder`) is left out: places come free at any time.
// Assumed of the bus: it answers only bursts that it took, with as many beats as were asked for, the
// last one marked; in any order, at any time. Assumed of clients: a request is for 1 to 146 lines.
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
        assume (!req_valid[c] || req_lines[c] != '0 && req_lines[c] <= 8'(LINES_MOST));
    end
  end

  // ---- the rules --------------------------------------------------------------------------------
  logic was_stalled, was_reset;
  logic [76:0] shown, was_shown;
  logic [1:0] since_closed;
  assign shown = {m_axi_arid, m_axi_araddr, m_axi_arlen};
  always_ff @(posedge clk) begin
    was_reset <= !rst_n;
    was_stalled <= rst_n && m_axi_arvalid && !m_axi_arready;
    was_shown <= shown;
    // Bursts that were shown when the card closed may still be taken.
    if (!rst_n || is_open) since_closed <= '0;
    else if (takes && since_closed != '1) since_closed <= since_closed + 2'd1;
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
      closed: assert (since_closed <= 2'd2);
    end
  end

  // ---- invariants: the symbolic ID is in one place ----------------------------------------------
  logic [5:0] ids_kept;
  logic [1:0] ars;
  logic [6:0] left;  // lines of its burst that did not reach their place
  // Where among the IDs that came back it waits.
  logic is_kept, is_popped, is_slot_wrong;
  logic [4:0] kept_slot, slot_ahead, kept_ahead;
  logic [1:0] is_ar, is_ar_sane;
  logic [1:0][4:0] ar_id;
  logic [1:0][6:0] ar_lines;
  logic [6:0] homes;
  logic [7:0] due;
  logic has_come;

  assign ids_kept = u_dut.u_ids.filled - u_dut.u_ids.taken;
  assign ars = u_dut.u_ar.filled - u_dut.u_ar.taken;
  assign slot_ahead = slot - u_dut.u_ids.taken[4:0];
  assign kept_ahead = kept_slot - u_dut.u_ids.taken[4:0];
  assign is_popped = u_dut.is_leaving && !u_dut.is_fresh && u_dut.id == number;
  assign is_slot_wrong = {1'b0, slot_ahead} < ids_kept && u_dut.u_ids.places[slot] == number
      && !(is_kept && kept_slot == slot);
  assign has_come = u_dut.r_valid && u_dut.r_id == number;
  always_comb begin
    homes = 7'(is_kept) + 7'({1'b0, number} >= u_dut.ids_fresh)
        + 7'(owed != '0) + 7'(has_come && u_dut.r_last);
    due = 8'(owed) + 8'(has_come);
    for (int k = 0; k < 2; k++) begin
      ar_id[k] = u_dut.u_ar.places[k][69:65];
      ar_lines[k] = u_dut.u_ar.places[k][6:0] + 7'd1;
      is_ar[k] = ars == 2'd2 || ars == 2'd1 && u_dut.u_ar.taken[0] == 1'(k);
      is_ar_sane[k] = !is_ar[k] || ar_lines[k] != '0 && ar_lines[k] <= 7'(PAGE_LINES)
          && 8'(u_dut.u_ar.places[k][12:7]) + 8'(ar_lines[k]) <= 8'(PAGE_LINES);
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
      if (u_dut.is_leaving && u_dut.id == number) left <= u_dut.cut_lines[u_dut.granted];
    end
  end

  always @(posedge clk) begin
    if (rst_n) begin
      // If an ID is ever taken from a slot that it is not in, that is the symbolic one.
      assume (!is_popped || is_kept && kept_ahead == '0 || slot_ahead == '0);
      closed_soon: assert (3'(since_closed) + 3'(ars) <= 3'd2);
      ids: assert (u_dut.ids_fresh <= 6'(READ_IDS) && ids_kept <= 6'(READ_IDS) && ars <= 2'd2
          && u_dut.ids_free == 6'(READ_IDS) - u_dut.ids_fresh + ids_kept);
      ids_all: assert (7'(bursts_out) + 7'(ars) + 7'(u_dut.id_is_pushed) + 7'(ids_kept)
          + 7'(READ_IDS) - 7'(u_dut.ids_fresh) == 7'(READ_IDS));
      one_home: assert (homes == 7'd1);
      one_slot: assert (!is_slot_wrong);
      kept_slot_has_it: assert (!is_kept || {1'b0, kept_ahead} < ids_kept
          && u_dut.u_ids.places[kept_slot] == number);
      all_due: assert (8'(left) == due && left <= 7'(PAGE_LINES));
      ar_kept: assert (&is_ar_sane);
      id_is_free: assert (!u_dut.is_leaving || u_dut.id != number || left == '0);
      r_is_due: assert (!has_come || left != '0
          && u_dut.r_last == (left == 7'd1));
    end
  end

  // ---- invariants: what each client has asked for -----------------------------------------------
  logic [RD_CLIENTS-1:0] is_step_sane;
  for (genvar c = 0; c < RD_CLIENTS; c++) begin : g_client
    logic [1:0] step;
    logic [7:0] lines, wanted;
    assign step = u_dut.g_client[c].step;
    assign lines = {1'b0, u_dut.cut_lines[c]};
    assign wanted = u_dut.g_client[c].left;
    assign is_step_sane[c] = step != 2'd3 && (step != 2'd1 || wanted != '0)
        && (step != 2'd2 || lines != '0 && lines <= wanted
            && lines + 8'(u_dut.cut_line[c][5:0]) <= 8'(PAGE_LINES));
  end

  always @(posedge clk) begin
    if (rst_n) begin
      steps: assert (&is_step_sane);
    end
  end

endmodule : dma_rd_props
