// Identities of the function that AWS F2's shell shows (AppPF), for the HDK's manifest. Amazon's vendor
// ID allows devices F000 to F0FF to anybody; the driver is told so: `--pci-id 1d0f:f010`.

`ifndef CL_ID_DEFINES
`define CL_ID_DEFINES
`define CL_SH_ID0 32'hF010_1D0F
`define CL_SH_ID1 32'h1D51_FEDC
`endif
