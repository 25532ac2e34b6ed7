//! The proofs there are, and the bugs that each has to find.
//!
//! A harness is `rtl-sim/formal/NAME_props.sv`; its header says what is claimed and what is assumed.

/// A proof.
pub(super) struct Proof {
    /// Its name, and its harness's.
    pub(super) name: &'static str,
    /// What it says.
    pub(super) claim: &'static str,
    /// Modules, in `rtl-sim/rtl` unless a folder below `rtl-sim` is named.
    pub(super) modules: &'static [&'static str],
    /// Parameters of the harness.
    pub(super) parameters: &'static [(&'static str, u32)],
    /// Numbers of the packages that are others here, each with its value.
    pub(super) sizes: &'static [(&'static str, &'static str)],
    /// Clocks from power-on that are looked at, always and with `--deep`.
    pub(super) clocks: [u32; 2],
    /// Clocks of an induction step, where it goes through.
    pub(super) induction: Option<u32>,
    /// What has to make it fail.
    pub(super) bugs: &'static [Bug],
}

/// A bug to be seeded in a module: one place of it, replaced.
pub(super) struct Bug {
    /// What is wrong then.
    pub(super) what: &'static str,
    /// Where.
    pub(super) module: &'static str,
    /// What stands there, once.
    pub(super) from: &'static str,
    /// What is put there.
    pub(super) to: &'static str,
    /// The assertion that fails, by its label; no other one is looked at.
    pub(super) assertion: &'static str,
    /// Clocks after which it does.
    pub(super) clocks: u32,
}

impl Proof {
    /// Clocks from power-on that are looked at.
    pub(super) const fn clocks(&self, is_deep: bool) -> u32 {
        self.clocks[is_deep as usize]
    }

    /// How far it reaches.
    pub(super) fn way(&self, is_deep: bool) -> String {
        match self.induction {
            Some(_) => "induction".to_string(),
            None => format!("{} clocks", self.clocks(is_deep)),
        }
    }
}

/// All of them.
pub(super) const PROOFS: &[Proof] = &[
    Proof {
        name: "dma_rd",
        claim: "reads obey AXI and the shell: stable, no 4 KiB crossing, one an ID, 32 in all",
        modules: &["dma_rd", "formal/reorder_free", "stream_fifo", "rotate_pick"],
        parameters: &[],
        sizes: &[],
        clocks: [4, 12],
        induction: Some(1),
        bugs: &[
            Bug {
                what: "a burst is not cut at 4 KiB",
                module: "dma_rd",
                from: "assign lines = is_final ? left[6:0] : to_page;",
                to: "assign lines = left < 8'd64 ? left[6:0] : 7'd64;",
                assertion: "ar_page",
                clocks: 10,
            },
            Bug {
                what: "an ID comes back with the first beat of its burst",
                module: "dma_rd",
                from: "assign id_is_pushed = r_valid && r_last;",
                to: "assign id_is_pushed = r_valid;",
                assertion: "one_home",
                clocks: 8,
            },
            Bug {
                what: "bursts leave though the bus takes none",
                module: "dma_rd",
                from: "is_wanted && is_open && ars != AR_MOST",
                to: "is_wanted && is_open",
                assertion: "ars_kept",
                clocks: 12,
            },
        ],
    },
    Proof {
        name: "reorder",
        claim: "lines go out in the order of their places, each once and as it came",
        modules: &["reorder", "stream_fifo", "rotate_pick"],
        parameters: &[],
        sizes: &[
            ("LINE_BITS", "2"),
            ("RD_CLIENTS", "3"),
            ("RD_LINES", "16"),
            ("RD_FIRST[RD_CLIENTS]", "'{0, 4, 8}"),
            ("RD_SIZE[RD_CLIENTS]", "'{4, 4, 8}"),
        ],
        clocks: [4, 12],
        induction: Some(1),
        bugs: &[
            Bug {
                what: "a line of the lap before is taken for this lap's",
                module: "reorder",
                from: "is_there <= laps[next[AT_BITS-1:0]] != next[AT_BITS];",
                to: "is_there <= laps[next[AT_BITS-1:0]];",
                assertion: "came_first",
                clocks: 14,
            },
            Bug {
                what: "a client that is ready is taken for one that took a line",
                module: "reorder",
                from: "rsp_valid[c] && rsp_ready[c]",
                to: "rsp_ready[c]",
                assertion: "in_order",
                clocks: 14,
            },
        ],
    },
    Proof {
        name: "payload_buf",
        claim: "frames come whole and in order, and no line is asked for without a place",
        modules: &["payload_buf", "stream_fifo"],
        parameters: &[],
        sizes: &[("LINE_BITS", "2")],
        clocks: [4, 12],
        induction: Some(1),
        bugs: &[
            Bug {
                what: "lines are asked for that have no place",
                module: "payload_buf",
                from: "s3_valid && !would_be_free[AT_BITS+1] &&",
                to: "s3_valid &&",
                assertion: "has_place",
                clocks: 10,
            },
            Bug {
                what: "a frame is read that runs over the end of the address space",
                module: "payload_buf",
                from: "s2_is_void || s2_end[58] && s2_end[57:0] != '0;",
                to: "s2_is_void;",
                assertion: "wanted",
                clocks: 8,
            },
            Bug {
                what: "lines of a frame that is skipped are read in the next one's place",
                module: "payload_buf",
                from: "read_at + at_t'(skipped_lines) + at_t'(line_read)",
                to: "read_at + at_t'(line_read)",
                assertion: "as_it_came",
                clocks: 14,
            },
        ],
    },
    Proof {
        name: "dma_wr",
        claim: "writes obey AXI and the shell: stable, whole, as many beats as addresses",
        modules: &["dma_wr", "stream_fifo", "rotate_pick"],
        parameters: &[],
        sizes: &[],
        clocks: [4, 12],
        induction: Some(1),
        bugs: &[Bug {
            what: "an address leaves though its beat has no place",
            module: "dma_wr",
            from: "is_wanted && aw_ready && w_ready && is_open",
            to: "is_wanted && aw_ready && is_open",
            assertion: "as_many",
            clocks: 8,
        }],
    },
    Proof {
        name: "axil_slave",
        claim: "each access gets one answer, held until it is taken; none comes without one",
        modules: &["axil_slave"],
        parameters: &[],
        sizes: &[],
        clocks: [4, 12],
        induction: Some(1),
        bugs: &[Bug {
            what: "an answer is taken back when the next access ends",
            module: "axil_slave",
            from: "if (s_axil_rready) s_axil_rvalid <= 1'b0;",
            to: "if (s_axil_rready || s_axil_arvalid) s_axil_rvalid <= 1'b0;",
            assertion: "r_stays",
            clocks: 8,
        }],
    },
    Proof {
        name: "cpl_ring",
        claim: "a completion ring is never overrun, whatever the host says it reaped",
        modules: &["cpl_ring"],
        parameters: &[],
        sizes: &[],
        clocks: [4, 16],
        induction: Some(2),
        bugs: &[Bug {
            what: "a position that is one too far is taken for sane",
            module: "cpl_ring",
            from: "is_reaped_sane <= is_used_sane(used, size_log2);",
            to: "is_reaped_sane <= used <= (32'd2 << size_log2);",
            assertion: "nonsense_is_told",
            clocks: 8,
        }],
    },
    Proof {
        name: "resolver",
        claim: "a header is one whole bank, the one selected at one moment while it was looked up",
        modules: &[
            "resolver",
            "tbl_conn",
            "tbl_path",
            "tbl_alias",
            "tbl_neighbor",
            "tbl_copy",
            "clear_walk",
            "ram_fwd",
            "stream_fifo",
        ],
        parameters: &[],
        sizes: &[],
        clocks: [6, 16],
        induction: Some(6),
        bugs: &[Bug {
            what: "a word that is stored is given for any entry",
            module: "ram_fwd",
            from: "is_forwarded <= we && write_at == read_at;",
            to: "is_forwarded <= we;",
            assertion: "header_is_one_bank",
            clocks: 14,
        }],
    },
    Proof {
        name: "look_up_fence",
        claim: "no frame leaves to a neighbor that was given up before the announced epoch",
        modules: &[
            "look_up",
            "fence",
            "resolver",
            "tbl_conn",
            "tbl_path",
            "tbl_alias",
            "tbl_neighbor",
            "tbl_copy",
            "clear_walk",
            "ram_fwd",
            "stream_fifo",
        ],
        parameters: &[],
        sizes: &[],
        clocks: [21, 24],
        induction: None,
        bugs: &[
            Bug {
                what: "a fence does not wait for the judge",
                module: "fence",
                from: "JUDGED:\n        if (to_judge[COUNT_BITS-1] || to_judge == '0) begin",
                to: "JUDGED:\n        if (1'b1) begin",
                assertion: "none_after_the_fence",
                clocks: 20,
            },
            Bug {
                what: "frames go to neighbors that are invalid",
                module: "resolver",
                from: "(!neighbor9.is_live || neighbor9.is_invalid)",
                to: "(!neighbor9.is_live)",
                assertion: "none_after_the_fence",
                clocks: 20,
            },
        ],
    },
    Proof {
        name: "fence",
        claim: "an epoch is announced soon while port and pool let nobody wait for long",
        modules: &["fence"],
        parameters: &[],
        sizes: &[],
        clocks: [25, 30],
        induction: None,
        bugs: &[Bug {
            what: "an entry that leaves when a frame is decided about is not counted",
            module: "fence",
            from: "settled_count <= settled_count + COUNT_BITS'(settled);",
            to: "settled_count <= settled_count + COUNT_BITS'(settled && !judged);",
            assertion: "announced_soon",
            clocks: 24,
        }],
    },
    Proof {
        name: "stream_fifo",
        claim: "a queue never overflows, and gives what it took, in order",
        modules: &["stream_fifo"],
        parameters: &[],
        sizes: &[],
        clocks: [4, 16],
        induction: Some(1),
        bugs: &[Bug {
            what: "what has no place is written over what waits",
            module: "stream_fifo",
            from: "if (in_valid && in_ready) places",
            to: "if (in_valid) places",
            assertion: "stays",
            clocks: 14,
        }],
    },
    Proof {
        name: "notice_fifo",
        claim: "notices are bounded, and none is lost before the firmware took it",
        modules: &["notice_fifo"],
        parameters: &[],
        sizes: &[],
        clocks: [4, 16],
        induction: Some(1),
        bugs: &[Bug {
            what: "the window shows more than it has places",
            module: "notice_fifo",
            from: "left    <= waiting > WINDOW ? taken + WINDOW : filled;",
            to: "left    <= filled;",
            assertion: "in_window",
            clocks: 24,
        }],
    },
    Proof {
        name: "fetch",
        claim: "every slot that is fetched has a completion slot and a place in the mailbox",
        modules: &["fetch", "stream_fifo"],
        parameters: &[],
        sizes: &[],
        clocks: [20, 24],
        induction: None,
        bugs: &[
            Bug {
                what: "a position that makes no sense is taken for room",
                module: "fetch",
                from: "\n        || waiting_b != '0 && !is_reaped_sane[look_b.ring];",
                to: ";",
                assertion: "slots_reserved",
                clocks: 19,
            },
            Bug {
                what: "slots are fetched without a completion slot",
                module: "fetch",
                from: "slots_e  <= least(least_d, room_d);",
                to: "slots_e  <= least_d;",
                assertion: "slots_reserved",
                clocks: 19,
            },
            Bug {
                what: "a look from before a request acts behind its answer",
                module: "fetch",
                from: "return is_asked && ring == ring_asked;",
                to: "return 1'b0;",
                assertion: "slots_reserved",
                clocks: 19,
            },
        ],
    },
    Proof {
        name: "list_fetch",
        claim: "a chunk of a list comes whole, each line to its place, and is answered then",
        modules: &["list_fetch", "stream_fifo", "rotate_pick"],
        parameters: &[],
        sizes: &[],
        clocks: [4, 12],
        induction: Some(1),
        bugs: &[
            Bug {
                what: "a line more than the firmware told is asked for",
                module: "list_fetch",
                from: "(entries[picked] + 8'd7) >> 3",
                to: "(entries[picked] + 8'd8) >> 3",
                assertion: "as_told",
                clocks: 8,
            },
            Bug {
                what: "a chunk overwrites the buffer that the firmware works on",
                module: "list_fetch",
                from: "list_line <= {3'(now_ring), now_buffer, offset};",
                to: "list_line <= {3'(now_ring), 1'b0, offset};",
                assertion: "whole",
                clocks: 10,
            },
            Bug {
                what: "only the last line of a chunk can be refused",
                module: "list_fetch",
                from: "refused[now_ring]  <= is_refused;",
                to: "refused[now_ring]  <= rd_rsp_error;",
                assertion: "refusal",
                clocks: 10,
            },
        ],
    },
    Proof {
        name: "outbox",
        claim: "entries reach memory in their order, a completion behind every write before it",
        modules: &["outbox", "cpl_ring", "stream_fifo"],
        parameters: &[],
        sizes: &[("CORE_WINDOWS_OUTBOX_ENTRIES", "32'd2")],
        clocks: [3, 12],
        induction: Some(1),
        bugs: &[
            Bug {
                what: "a completion does not wait for the writes before it",
                module: "outbox",
                from: "will_be_due    = !head.is_completion;",
                to: "will_be_due    = 1'b1;",
                assertion: "all_answered",
                clocks: 14,
            },
            Bug {
                what: "an event is written over one that the host did not reap",
                module: "outbox",
                from: "is_reaped_sane[EVENTS] && used[EVENTS] < event_size",
                to: "is_reaped_sane[EVENTS]",
                assertion: "event_room",
                clocks: 18,
            },
            Bug {
                what: "a ring that was refused a write goes on",
                module: "outbox",
                from: "is_stopped <= is_stopped | (wr_rsp_valid && wr_rsp_error ? now.side : '0);",
                to: "is_stopped <= is_stopped;",
                assertion: "not_stopped",
                clocks: 14,
            },
            Bug {
                what: "a write leaves though its answer has no place in the queue",
                module: "outbox",
                from: "will_be_due && has_order_room;",
                to: "will_be_due;",
                assertion: "unanswered_most",
                clocks: 28,
            },
        ],
    },
    Proof {
        name: "irq_merge",
        claim: "one vector at a time, held until it is taken; no source starves",
        modules: &["irq_merge", "rotate_pick"],
        parameters: &[],
        sizes: &[],
        clocks: [4, 16],
        induction: Some(1),
        bugs: &[Bug {
            what: "the first source always comes first",
            module: "rotate_pick",
            from: "behind != '0 ? behind : wants",
            to: "wants",
            assertion: "nobody_starves",
            clocks: 20,
        }],
    },
    Proof {
        name: "hold",
        claim: "no held frame overtakes an older one in a walk; none is lost, no count is negative",
        modules: &["hold", "ram_fwd"],
        parameters: &[],
        sizes: &[],
        clocks: [21, 24],
        induction: None,
        bugs: &[Bug {
            what: "what a walk has passed is forgotten when an epoch is announced",
            module: "hold",
            from: "here.first <= passed.count != '0 ? passed.first : here.first;",
            to: "here.first <= here.first;",
            assertion: "old_first",
            clocks: 20,
        }],
    },
    Proof {
        name: "ring_ctrl",
        claim: "a ring with a position that makes no sense fails at once, and for good",
        modules: &["ring_ctrl"],
        parameters: &[],
        sizes: &[],
        clocks: [4, 16],
        induction: Some(2),
        bugs: &[Bug {
            what: "a ring that fails runs on when it is looked at again",
            module: "ring_ctrl",
            from: "ring_running <= (ring_running | ring_start) & ~(fail_doorbell | fail_bus);",
            to: "ring_running <= (ring_running | ring_start) & ~fail_bus;",
            assertion: "nonsense_fails_it",
            clocks: 112,
        }],
    },
];
