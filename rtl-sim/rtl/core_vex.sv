// The card's other core: VexRiscv (configuration IMAC), in Ibex's place and by the same ports.
//
// It shows that nothing leans on one core. Its two Wishbone buses ask for one word at a time; its
// caches hold code and what lies below 0x8000_0000, which is the control page alone. Lines of that
// page are read whole, so an error there is not told. Interrupts pass a mask of the core's own,
// which the ROM opens before it jumps to the start of RAM.

module core_vex
  import offload_abi_pkg::*;
(
    input  logic        clk,
    input  logic        rst_n,
    output logic        instr_req,
    input  logic        instr_gnt,
    input  logic        instr_rvalid,
    input  logic        instr_err,
    output logic [31:0] instr_addr,
    input  logic [31:0] instr_rdata,
    output logic        data_req,
    input  logic        data_gnt,
    input  logic        data_rvalid,
    input  logic        data_err,
    output logic        data_we,
    output logic [ 3:0] data_be,
    output logic [31:0] data_addr,
    output logic [31:0] data_wdata,
    input  logic [31:0] data_rdata,
    input  logic        wake
);

  // The ROM: li t0, -1; csrw 0xbc0, t0; lui t0, RAM; jr t0. The rest of its line is never reached.
  localparam logic [31:0] BOOT = 32'h7fff_0000;
  localparam logic [31:0] LI_T0_ALL = 32'hfff0_0293;
  localparam logic [31:0] CSRW_MASK_T0 = 32'hbc02_9073;
  localparam logic [31:0] LUI_T0 = {CORE_MAP_RAM[31:12], 12'h2b7};
  localparam logic [31:0] JR_T0 = 32'h0002_8067;

  logic instr_stb, instr_cyc, data_stb, data_cyc;
  logic instr_waits, data_waits;
  logic was_boot;
  logic [1:0] boot_word;
  logic [31:0] boot_rdata;

  assign instr_req = instr_cyc && instr_stb && !instr_waits;
  assign data_req = data_cyc && data_stb && !data_waits;
  assign instr_addr[1:0] = '0;
  assign data_addr[1:0] = '0;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      instr_waits <= 1'b0;
      data_waits  <= 1'b0;
      was_boot    <= 1'b0;
      boot_word   <= '0;
    end else begin
      instr_waits <= instr_req && instr_gnt || instr_waits && !instr_rvalid;
      data_waits  <= data_req && data_gnt || data_waits && !data_rvalid;
      if (instr_req) begin
        was_boot  <= instr_addr[31:8] == BOOT[31:8];
        boot_word <= instr_addr[3:2];
      end
    end
  end

  always_comb begin
    unique case (boot_word)
      2'd0: boot_rdata = LI_T0_ALL;
      2'd1: boot_rdata = CSRW_MASK_T0;
      2'd2: boot_rdata = LUI_T0;
      default: boot_rdata = JR_T0;
    endcase
  end

  VexRiscv u_vexriscv (
      .externalResetVector(BOOT),
      .timerInterrupt(1'b0),
      .softwareInterrupt(1'b0),
      .externalInterruptArray({31'd0, wake}),
      .iBusWishbone_CYC(instr_cyc),
      .iBusWishbone_STB(instr_stb),
      .iBusWishbone_ACK(instr_waits && instr_rvalid),
      .iBusWishbone_WE(),
      .iBusWishbone_ADR(instr_addr[31:2]),
      .iBusWishbone_DAT_MISO(was_boot ? boot_rdata : instr_rdata),
      .iBusWishbone_DAT_MOSI(),
      .iBusWishbone_SEL(),
      .iBusWishbone_ERR(instr_waits && instr_rvalid && instr_err && !was_boot),
      .iBusWishbone_CTI(),
      .iBusWishbone_BTE(),
      .dBusWishbone_CYC(data_cyc),
      .dBusWishbone_STB(data_stb),
      .dBusWishbone_ACK(data_waits && data_rvalid),
      .dBusWishbone_WE(data_we),
      .dBusWishbone_ADR(data_addr[31:2]),
      .dBusWishbone_DAT_MISO(data_rdata),
      .dBusWishbone_DAT_MOSI(data_wdata),
      .dBusWishbone_SEL(data_be),
      .dBusWishbone_ERR(data_waits && data_rvalid && data_err && data_addr[31]),
      .dBusWishbone_CTI(),
      .dBusWishbone_BTE(),
      .clk(clk),
      .reset(!rst_n)
  );

endmodule : core_vex
