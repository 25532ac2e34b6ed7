// A header never mixes two banks, of `resolver` and its tables: the header that leaves for a symbolic
// neighbor is one whole bank of it, the one that was selected at one moment between the frame's entry
// and its exit: when the neighbor was looked up. So are the verdict's words of the neighbor.
//
// Assumed of the firmware: it writes only the bank that is not selected, and selects it when it is
// whole; other words at any time. Tables begin with any content.
// The queue behind the last stage is `stream_fifo`, of which `stream_fifo` is proved.

module resolver_props
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
  import datapath_pkg::*;
#(
    parameter int unsigned NEIGHBORS = 4,
    parameter int unsigned PATHS = 8,
    parameter int unsigned CONNECTIONS = 4,
    parameter int unsigned ALIASES = 4
) (
    input logic clk,
    input logic rst_n,
    input logic [31:0] now_ms,
    input logic [31:0] stale_ms,
    input logic tbl_we,
    input region_e tbl_region,
    input tbl_index_t tbl_index,
    input tbl_field_t tbl_field,
    input logic [31:0] tbl_data,
    input logic tbl_stamp_we,
    input logic [31:0] tbl_stamp,
    input logic in_valid,
    input logic [63:0] in_handle,
    input logic [31:0] in_stamp_ms,
    input logic out_ready,
    input logic [1:0] any_neighbor
);

  logic in_ready, out_valid, is_clear;
  route_t out_route;

  resolver #(
      .NEIGHBORS(NEIGHBORS), .PATHS(PATHS), .CONNECTIONS(CONNECTIONS), .ALIASES(ALIASES)
  ) u_dut (
      .clk, .rst_n, .clear(1'b0), .is_clear, .cap_neighbors(NEIGHBORS), .cap_paths(PATHS),
      .cap_connections(CONNECTIONS), .cap_aliases(ALIASES), .now_ms, .stale_ms, .tbl_we, .tbl_region,
      .tbl_index, .tbl_field, .tbl_data, .tbl_stamp_we, .tbl_stamp, .in_valid, .in_ready, .in_handle,
      .in_stamp_ms, .out_valid, .out_ready, .out_route
  );

  // The walks that clear tables need a clock without a reset to rest.
  logic [1:0] begun = '0;
  logic is_begun;
  logic [1:0] who;
  assign is_begun = begun[1];
  always_ff @(posedge clk) begin
    begun <= {begun[0], 1'b1};
    if (!begun[0]) who <= any_neighbor;
  end

  // ---- the symbolic neighbor as the firmware has written it -------------------------------------
  localparam int unsigned HISTORY = 4;  // clocks from the look-up to the header
  logic is_mine, is_bank, of_bank;
  logic select;
  logic [1:0][3:0][31:0] banks;  // being written
  bank_t [HISTORY:0] whole;  // the selected bank, as it was when it was selected
  assign is_mine = tbl_we && tbl_region == REGION_NEIGHBOR && tbl_index[1:0] == who;
  assign is_bank = is_mine && tbl_field >= 6'(TABLE_NEIGHBOR_BANK0)
      && tbl_field < 6'(TABLE_NEIGHBOR_BANK1 + TABLE_BANK_WORDS);
  assign of_bank = tbl_field >= 6'(TABLE_NEIGHBOR_BANK1);

  function automatic bank_t bank_of(input logic [3:0][31:0] words);
    return '{
        vlan: words[TABLE_BANK_VLAN][11:0],
        addresses: {
          words[TABLE_BANK_SOURCE], words[TABLE_BANK_ADDRESSES], words[TABLE_BANK_DESTINATION]
        }
    };
  endfunction

  logic is_selecting;
  assign is_selecting = is_mine && tbl_field == 6'(TABLE_NEIGHBOR_SELECT);
  assign whole[0] = is_selecting ? bank_of(banks[tbl_data[0]]) : whole[1];
  always_ff @(posedge clk) begin
    if (is_bank) banks[of_bank][tbl_field[1:0]] <= tbl_data;
    if (is_selecting) select <= tbl_data[0];
    whole[HISTORY:1] <= whole[HISTORY-1:0];
  end

  // The tables hold what was written: column 2 of a neighbor is its select, eight from 5 its banks.
  logic [1:0][3:0] is_word_copied;
  for (genvar w = 0; w < 8; w++) begin : g_word
    localparam int unsigned BITS = w % 4 == TABLE_BANK_VLAN ? 12 : 32;
    assign is_word_copied[w/4][w%4] =
        u_dut.u_tbl_neighbor.u_copy.g_column[5+w].u_words.memory[who] == banks[w/4][w%4][BITS-1:0];
  end
  logic is_copied;
  assign is_copied = u_dut.u_tbl_neighbor.u_copy.g_column[2].u_words.memory[who] == select
      && (&is_word_copied) && !u_dut.u_tbl_neighbor.u_copy.walk_we
      && whole[1] == bank_of(banks[select]);

  logic [5:0] queued;
  assign queued = u_dut.u_routes.filled - u_dut.u_routes.taken;

  // ---- what is claimed --------------------------------------------------------------------------
  route_t route;
  header_t without_tag, with_tag;
  logic [2:0] was_priority;
  logic was_ipv6;
  assign route = u_dut.route11;
  always_ff @(posedge clk) begin
    was_priority <= u_dut.priority10;
    was_ipv6 <= u_dut.is_ipv6_10;
  end
  bank_t bank;
  logic [15:0] ethertype, tag;
  assign bank = whole[HISTORY];
  assign ethertype = was_ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
  assign tag = {was_priority, 1'b0, bank.vlan};
  assign without_tag = {32'd0, ethertype, bank.addresses};
  assign with_tag = {ethertype, tag[7:0], tag[15:8], ETHERTYPE_TAG, bank.addresses};

  always @(posedge clk) begin
    assume (is_begun || !rst_n);
    // The firmware's order.
    assume (is_begun || !tbl_we);
    assume (!is_bank || of_bank != select);
    if (!begun[0]) assume (whole[HISTORY:2] == {(HISTORY - 1){whole[1]}});
    if (!is_begun) assume (is_copied);
    else copied: assert (is_copied);
    if (rst_n) places: assert (7'(u_dut.let_in) == 7'($countones(u_dut.has)) + 7'(u_dut.has11)
        + 7'(queued) && u_dut.let_in <= 6'd32);
    if (rst_n && u_dut.has11 && route.verdict == VERDICT_SEND
        && route.neighbor == index_t'(who)) begin
      header_is_one_bank: assert (route.header
          == (bank.vlan != '0 || was_priority != '0 ? with_tag : without_tag));
    end
  end

endmodule : resolver_props
