// The registers of the link engine: an order in, its answer out.
//
// Under `core_bus`, beside `core_regs`, over `link_engine`. A load has no side effect; the store of a
// number gives the order that was stored before.
// Invariant: LINK_ENDED takes an order's number when all that it stored can be read.

module link_regs
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
(
    input  logic                  clk,
    input  logic                  rst_n,
    // The bus: one access; a load's word stands in the same clock.
    input  logic [11:0]           offset,
    input  logic                  is_store,
    input  logic [31:0]           store_value,
    output logic                  is_mine,      // the offset lies among these registers
    output logic [31:0]           load_value,
    output logic                  is_readable,
    output logic                  is_writable,
    // The engine.
    output logic                  start,        // pulse
    output logic [3:0]            buffer,
    output list_entry_t           first,
    output list_entry_t           last,
    output logic [31:0]           to,
    output tbl_index_t            home,
    output logic [31:0]           now_ms,
    input  logic                  done,         // pulse
    input  list_entry_t           next,
    input  logic [3:0]            aliases,
    input  logic [LIST_CHUNK-1:0] refused,
    input  link_aliases_t         left_alias,
    input  link_counts_t          left_paths
);

  localparam int unsigned WORDS = CORE_WINDOWS_LINK_REFUSED_WORDS;

  logic [31:0] ordered;
  logic [31:0] ended;
  logic has_refused;
  logic is_refused_bank, is_left_bank;
  logic [2:0] place;

  assign is_mine = offset >= REG_LINK_TO[11:0];
  assign is_refused_bank = offset >= REG_LINK_REFUSED[11:0] &&
      offset < REG_LINK_REFUSED[11:0] + 12'(4 * WORDS);
  assign is_left_bank = offset >= REG_LINK_LEFT_ALIAS[11:0] &&
      offset < REG_LINK_LEFT_ALIAS[11:0] + 12'(8 * LINK_ALIASES);
  assign place = offset[5:3];

  always_comb begin
    load_value  = '0;
    is_readable = is_mine && offset[1:0] == '0;
    if (is_refused_bank) begin
      load_value = refused[{offset[$clog2(WORDS)+1:2], 5'd0}+:32];
    end else if (is_left_bank) begin
      load_value = offset[2] ? 32'(left_paths[place]) : 32'(left_alias[place]);
    end else begin
      unique case (offset)
        REG_LINK_ENDED[11:0]: load_value = ended;
        REG_LINK_ANSWER[11:0]: load_value = {15'd0, has_refused, aliases, 12'(next)};
        default: is_readable = 1'b0;
      endcase
    end
  end

  always_comb begin
    unique case (offset)
      REG_LINK_TO[11:0], REG_LINK_HOME[11:0], REG_LINK_MS[11:0], REG_LINK_RANGE[11:0],
          REG_LINK_ORDERED[11:0]: is_writable = 1'b1;
      default: is_writable = 1'b0;
    endcase
  end

  // More entries than a chunk are cut to one.
  function automatic list_entry_t cut(input logic [11:0] entry);
    return entry > 12'(LIST_CHUNK) ? list_entry_t'(LIST_CHUNK) : list_entry_t'(entry);
  endfunction

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      start       <= 1'b0;
      ordered     <= '0;
      ended       <= '0;
      has_refused <= 1'b0;
    end else begin
      start <= is_store && offset == REG_LINK_ORDERED[11:0];
      if (is_store && offset == REG_LINK_ORDERED[11:0]) ordered <= store_value;
      has_refused <= refused != '0;
      if (done) ended <= ordered;
    end
  end
  always_ff @(posedge clk) begin
    if (is_store) begin
      unique case (offset)
        REG_LINK_TO[11:0]: to <= store_value;
        REG_LINK_HOME[11:0]: home <= tbl_index_t'(store_value);
        REG_LINK_MS[11:0]: now_ms <= store_value;
        REG_LINK_RANGE[11:0]: begin
          first <= cut(store_value[11:0]);
          last  <= cut(store_value[23:12]);
          buffer <= store_value[27:24];
        end
        default: ;
      endcase
    end
  end

endmodule : link_regs
