// The core's RAM: 128 KiB, an instruction port and a data port, each with its answer a clock later.
//
// Initialised with the firmware image, a word a line of a hex file; simulation may name another one
// by +image=FILE. A reset leaves it alone: the image clears its own statics.

module core_ram
  import offload_abi_pkg::*;
#(
    parameter IMAGE = "",  // a hex file, $readmemh
    localparam int unsigned BITS = $clog2(CORE_MAP_RAM_BYTES / 4)
) (
    input  logic            clk,
    input  logic            instr_req,
    input  logic [BITS-1:0] instr_word,
    output logic [31:0]     instr_rdata,
    input  logic            data_req,
    input  logic            data_we,
    input  logic [3:0]      data_be,
    input  logic [BITS-1:0] data_word,
    input  logic [31:0]     data_wdata,
    output logic [31:0]     data_rdata
);

  logic [3:0][7:0] words[CORE_MAP_RAM_BYTES/4];

  initial begin
    if (IMAGE != "") $readmemh(IMAGE, words);
`ifndef SYNTHESIS
    begin
      automatic string file;
      if ($value$plusargs("image=%s", file)) $readmemh(file, words);
    end
`endif
  end

  always_ff @(posedge clk) begin
    if (instr_req) instr_rdata <= words[instr_word];
  end

  always_ff @(posedge clk) begin
    if (data_req) begin
      for (int unsigned b = 0; b < 4; b++) begin
        if (data_we && data_be[b]) words[data_word][b] <= data_wdata[8*b+:8];
      end
      data_rdata <= words[data_word];
    end
  end

endmodule : core_ram
