// The core's data port in the address map of the contract: RAM, registers, windows, tables.
//
// Between the core and everything that it sees. Accesses are granted at once; the core has at most
// one under way, and may ask anew in the clock of its answer. RAM answers in the next clock, and so
// do stores; other loads take one clock more, loads from tables two (ages six). Outside RAM only
// whole words; what is not in the map, or not in that direction, answers with an error.

module core_bus
  import offload_abi_pkg::*;
  import flue_rtl_pkg::*;
#(
    localparam int unsigned RAM_BITS = $clog2(CORE_MAP_RAM_BYTES / 4)
) (
    input  logic                clk,
    input  logic                rst_n,
    // The core.
    input  logic                data_req,
    output logic                data_gnt,
    output logic                data_rvalid,
    output logic                data_err,
    input  logic                data_we,
    input  logic [3:0]          data_be,
    input  logic [31:0]         data_addr,
    input  logic [31:0]         data_wdata,
    output logic [31:0]         data_rdata,
    // RAM: answers a clock later.
    output logic                ram_req,
    output logic                ram_we,
    output logic [3:0]          ram_be,
    output logic [RAM_BITS-1:0] ram_word,
    output logic [31:0]         ram_wdata,
    input  logic [31:0]         ram_rdata,
    // Memories that windows show, asked ahead: the word of this clock's address, a clock later.
    output logic [13:0]         window_word,
    input  logic [31:0]         mail_rdata,
    input  logic [31:0]         list_rdata,
    input  logic [31:0]         notice_rdata,
    // A clock after the core asked: the access, for registers and for windows that are stored to.
    output logic [13:0]         access_word,
    output logic [31:0]         store_value,
    output logic                reg_store,
    input  logic [31:0]         reg_load_value,
    input  logic                reg_is_readable,
    input  logic                reg_is_writable,
    output logic                outbox_store,
    output logic                trace_store,
    // Tables.
    output logic                table_req,
    output logic                table_store,
    output logic [29:0]         table_word,
    input  logic                table_is_inside,
    input  logic                table_rsp_valid,
    input  logic [31:0]         table_rsp_value
);

  localparam int unsigned MAILBOXES_BYTES = LIMIT_COMMAND_RINGS_MAX * CORE_WINDOWS_MAILBOX_STRIDE;
  localparam int unsigned OUTBOX_BYTES = CORE_WINDOWS_OUTBOX_ENTRIES * CORE_WINDOWS_OUTBOX_STRIDE;
  localparam int unsigned LISTS_BYTES = LIMIT_COMMAND_RINGS_MAX * CORE_WINDOWS_LIST_BUFFERS *
      CORE_WINDOWS_LIST_STRIDE;
  localparam int unsigned NOTICES_BYTES = CORE_WINDOWS_NOTICE_SLOTS * TABLE_NOTICE_WORDS * 4;
  localparam int unsigned TRACE_BYTES = TRACE_TRACE_STRIDE;

  // Windows lie at multiples of their sizes, which are powers of two.
  function automatic logic is_in(input logic [31:0] address, input logic [31:0] start,
                                 input logic [31:0] bytes);
    return (address & ~(bytes - 32'd1)) == start;
  endfunction

  // ---- the clock in which the core asks ---------------------------------------------------------
  logic is_ram;
  assign is_ram      = is_in(data_addr, CORE_MAP_RAM, CORE_MAP_RAM_BYTES);
  assign data_gnt    = 1'b1;
  assign ram_req     = data_req && is_ram;
  assign ram_we      = data_we;
  assign ram_be      = data_be;
  assign ram_word    = data_addr[RAM_BITS+1:2];
  assign ram_wdata   = data_wdata;
  assign window_word = data_addr[15:2];

  // ---- a clock later: what it is ----------------------------------------------------------------
  logic was_ram;
  logic is_load, is_store;
  logic is_word;
  logic [31:0] address;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      was_ram  <= 1'b0;
      is_load  <= 1'b0;
      is_store <= 1'b0;
    end else begin
      was_ram  <= data_req && is_ram;
      is_load  <= data_req && !is_ram && !data_we;
      is_store <= data_req && !is_ram && data_we;
    end
  end
  always_ff @(posedge clk) begin
    address     <= data_addr;
    store_value <= data_wdata;
    is_word     <= data_be == 4'hf && data_addr[1:0] == '0;
  end

  logic in_registers, in_mail, in_outbox, in_lists, in_notices, in_trace, in_tables;
  logic is_features, is_finish;
  assign in_registers = is_in(address, CORE_MAP_REGISTERS, CORE_MAP_REGISTERS_BYTES);
  assign in_mail      = is_in(address, CORE_MAP_MAILBOXES, MAILBOXES_BYTES);
  assign in_outbox    = is_in(address, CORE_MAP_OUTBOX, OUTBOX_BYTES);
  assign in_lists     = is_in(address, CORE_MAP_LISTS, LISTS_BYTES);
  assign in_notices   = is_in(address, CORE_MAP_NOTICES, NOTICES_BYTES);
  assign in_trace     = is_in(address, CORE_MAP_TRACE, TRACE_BYTES);
  assign in_tables    = address >= CORE_MAP_TABLES;
  assign is_features  = address == CORE_MAP_CONTROL + REG_CORE_FEATURES;
  assign is_finish    = address == CORE_MAP_CONTROL + REG_FINISH;

  assign table_word    = address[31:2] - CORE_MAP_TABLES[31:2];
  assign table_req     = (is_load || is_store) && is_word && in_tables;
  assign table_store   = is_store;
  assign access_word   = address[15:2];
  assign reg_store     = is_store && is_word && in_registers;
  assign outbox_store  = is_store && is_word && in_outbox;
  assign trace_store   = is_store && is_word && in_trace;

  logic is_storable;
  logic is_loadable;
  logic is_table_load;
  logic [31:0] value;
  // A card has no run to end: what the image says at FINISH is for who has none.
  assign is_storable = is_word && (in_registers && reg_is_writable || in_outbox || in_trace ||
      in_tables && table_is_inside || is_finish);
  assign is_table_load = is_load && is_word && in_tables && table_is_inside;

  // What the core stores in the outbox and the trace it never reads: these read as zero.
  always_comb begin
    is_loadable = is_word;
    value       = '0;
    if (in_registers) begin
      value       = reg_load_value;
      is_loadable = is_word && reg_is_readable;
    end else if (in_mail) begin
      value = mail_rdata;
    end else if (in_lists) begin
      value = list_rdata;
    end else if (in_notices) begin
      value = notice_rdata;
    end else if (is_features) begin
      value = CORE_FEATURE_CARD | CORE_FEATURE_LINK_ENGINE;
    end else if (!in_outbox && !in_trace) begin
      is_loadable = 1'b0;
    end
  end

  // ---- answers ----------------------------------------------------------------------------------
  logic is_answered;
  logic is_refused;
  logic [31:0] answer;

  always_ff @(posedge clk) begin
    if (!rst_n) is_answered <= 1'b0;
    else is_answered <= is_load && !is_table_load;
  end
  always_ff @(posedge clk) begin
    is_refused <= !is_loadable;
    answer     <= value;
  end

  assign data_rvalid = was_ram || is_store || is_answered || table_rsp_valid;
  assign data_err    = is_store && !is_storable || is_answered && is_refused;
  always_comb begin
    data_rdata = ram_rdata;
    if (is_answered) data_rdata = answer;
    if (table_rsp_valid) data_rdata = table_rsp_value;
  end

`ifndef SYNTHESIS
  logic is_under_way;
  always_ff @(posedge clk) begin
    if (!rst_n) is_under_way <= 1'b0;
    else is_under_way <= data_req || is_under_way && !data_rvalid;
  end
  always @(posedge clk) begin
    if (rst_n) begin
      assert (!data_req || !is_under_way || data_rvalid)
      else $error("the core has two accesses under way");
      assert ($countones({was_ram, is_store, is_answered, table_rsp_valid}) <= 1)
      else $error("two answers at once");
    end
  end
`endif

endmodule : core_bus
