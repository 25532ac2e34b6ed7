// The only C++ of ours: pins in, one clock, pins out.
//
// Between `src/dut.rs` and the verilated card. The structs are twins of those there; both sides
// check their sizes. Outputs are those just before the rising edge, as any synchronous partner on
// the bus would see them.

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "Vflue_card.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
#endif

extern "C" {

struct Straps {
  uint64_t port_mac;
  uint32_t neighbors, paths, connections, aliases, source_macs, vlans, state_memory;
  uint32_t command_rings, transmit_rings, ring_slots, vectors, held_per_path, held_total;
  uint32_t clock_khz, image_hash, pad;
};

struct In {
  uint32_t m_rdata[16];
  uint32_t s_awaddr, s_wdata, s_araddr;
  uint8_t rst_n, flr, s_awvalid, s_wvalid, s_wstrb, s_bready, s_arvalid, s_rready;
  uint8_t m_arready, m_rvalid, m_rid, m_rresp, m_rlast, m_awready, m_wready, m_bvalid;
  uint8_t m_bid, m_bresp, t_ready, irq_ready;
};

struct Out {
  uint64_t m_araddr, m_awaddr, m_wstrb, t_keep;
  uint32_t m_wdata[16];
  uint32_t t_data[16];
  uint32_t s_rdata;
  uint8_t s_awready, s_wready, s_bvalid, s_bresp, s_arready, s_rvalid, s_rresp, m_arvalid;
  uint8_t m_arid, m_arlen, m_arsize, m_arburst, m_rready, m_awvalid, m_awid, m_awlen;
  uint8_t m_awsize, m_awburst, m_wvalid, m_wlast, m_bready, t_valid, t_last, irq_valid;
  uint8_t irq_vector, pad[3];
};

}  // extern "C"

struct Sim {
  VerilatedContext context;
  std::unique_ptr<Vflue_card> top;
#if VM_TRACE_FST
  std::unique_ptr<VerilatedFstC> fst;
#endif
};

extern "C" {

void flue_rtl_sizes(uint32_t sizes[3]) {
  sizes[0] = sizeof(Straps);
  sizes[1] = sizeof(In);
  sizes[2] = sizeof(Out);
}

// `image`: a hex file for the core's RAM. `start`: what memories and registers hold before they are
// written: 0 zeros, 1 ones, 2 anything, by the seed. `fst`: where waveforms go, or null.
Sim* flue_rtl_new(const Straps* s, const char* image, uint32_t start, uint32_t seed,
                  const char* fst) {
  auto* sim = new Sim;
  // A failed assertion is for one test to report, not the end of the process.
  sim->context.fatalOnError(false);
  sim->context.randReset(static_cast<int>(start));
  sim->context.randSeed(static_cast<int>(seed & 0x7fffffff) | 1);
  const std::string plus = std::string("+image=") + image;
  const char* arguments[] = {"flue", plus.c_str()};
  sim->context.commandArgs(2, arguments);
  sim->context.traceEverOn(VM_TRACE && fst != nullptr);
  sim->top.reset(new Vflue_card{&sim->context});
  auto& t = *sim->top;
  t.cap_neighbors = s->neighbors;
  t.cap_paths = s->paths;
  t.cap_connections = s->connections;
  t.cap_aliases = s->aliases;
  t.cap_source_macs = s->source_macs;
  t.cap_vlans = s->vlans;
  t.cap_state_memory = s->state_memory;
  t.cap_command_rings = s->command_rings;
  t.cap_transmit_rings = s->transmit_rings;
  t.cap_ring_slots = s->ring_slots;
  t.cap_vectors = s->vectors;
  t.cap_held_per_path = s->held_per_path;
  t.cap_held_total = s->held_total;
  t.cap_clock_khz = s->clock_khz;
  t.cap_port_mac = s->port_mac;
  t.image_hash = s->image_hash;
  t.s_axil_awprot = 0;
  t.s_axil_arprot = 0;
#if VM_TRACE_FST
  if (fst) {
    sim->fst.reset(new VerilatedFstC);
    t.trace(sim->fst.get(), 99);
    sim->fst->open(fst);
  }
#endif
  return sim;
}

void flue_rtl_free(Sim* sim) {
  // What is taken down looks for the context of this thread, which is that of the card made last.
  Verilated::threadContextp(&sim->context);
  sim->top->final();
#if VM_TRACE_FST
  if (sim->fst) sim->fst->close();
#endif
  delete sim;
}

// Assertions that failed so far.
uint32_t flue_rtl_errors(const Sim* sim) {
  return static_cast<uint32_t>(sim->context.errorCount());
}

void flue_rtl_clock(Sim* sim, const In* in, Out* out) {
  auto& t = *sim->top;
  t.clk = 0;
  t.rst_n = in->rst_n;
  t.flr = in->flr;
  t.s_axil_awvalid = in->s_awvalid;
  t.s_axil_awaddr = in->s_awaddr;
  t.s_axil_wvalid = in->s_wvalid;
  t.s_axil_wdata = in->s_wdata;
  t.s_axil_wstrb = in->s_wstrb;
  t.s_axil_bready = in->s_bready;
  t.s_axil_arvalid = in->s_arvalid;
  t.s_axil_araddr = in->s_araddr;
  t.s_axil_rready = in->s_rready;
  t.m_axi_arready = in->m_arready;
  t.m_axi_rvalid = in->m_rvalid;
  if (in->m_rvalid) {
    t.m_axi_rid = in->m_rid;
    t.m_axi_rresp = in->m_rresp;
    t.m_axi_rlast = in->m_rlast;
    std::memcpy(t.m_axi_rdata.data(), in->m_rdata, sizeof in->m_rdata);
  }
  t.m_axi_awready = in->m_awready;
  t.m_axi_wready = in->m_wready;
  t.m_axi_bvalid = in->m_bvalid;
  t.m_axi_bid = in->m_bid;
  t.m_axi_bresp = in->m_bresp;
  t.m_axis_tready = in->t_ready;
  t.irq_ready = in->irq_ready;
  t.eval();
#if VM_TRACE_FST
  if (sim->fst) sim->fst->dump(sim->context.time());
#endif
  out->s_awready = t.s_axil_awready;
  out->s_wready = t.s_axil_wready;
  out->s_bvalid = t.s_axil_bvalid;
  out->s_bresp = t.s_axil_bresp;
  out->s_arready = t.s_axil_arready;
  out->s_rvalid = t.s_axil_rvalid;
  out->s_rresp = t.s_axil_rresp;
  out->s_rdata = t.s_axil_rdata;
  out->m_arvalid = t.m_axi_arvalid;
  out->m_arid = t.m_axi_arid;
  out->m_araddr = t.m_axi_araddr;
  out->m_arlen = t.m_axi_arlen;
  out->m_arsize = t.m_axi_arsize;
  out->m_arburst = t.m_axi_arburst;
  out->m_rready = t.m_axi_rready;
  out->m_awvalid = t.m_axi_awvalid;
  out->m_awid = t.m_axi_awid;
  out->m_awaddr = t.m_axi_awaddr;
  out->m_awlen = t.m_axi_awlen;
  out->m_awsize = t.m_axi_awsize;
  out->m_awburst = t.m_axi_awburst;
  out->m_wvalid = t.m_axi_wvalid;
  out->m_wlast = t.m_axi_wlast;
  out->m_wstrb = t.m_axi_wstrb;
  if (t.m_axi_wvalid) std::memcpy(out->m_wdata, t.m_axi_wdata.data(), sizeof out->m_wdata);
  out->m_bready = t.m_axi_bready;
  out->t_valid = t.m_axis_tvalid;
  out->t_last = t.m_axis_tlast;
  out->t_keep = t.m_axis_tkeep;
  if (t.m_axis_tvalid) std::memcpy(out->t_data, t.m_axis_tdata.data(), sizeof out->t_data);
  out->irq_valid = t.irq_valid;
  out->irq_vector = t.irq_vector;
  sim->context.timeInc(1);
  t.clk = 1;
  t.eval();
#if VM_TRACE_FST
  if (sim->fst) sim->fst->dump(sim->context.time());
#endif
  sim->context.timeInc(1);
}

}  // extern "C"
