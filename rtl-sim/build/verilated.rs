//! From SystemVerilog to a static library: Verilator, then the machine's C++ compiler.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "../src/sizes.rs"]
mod sizes;

/// The card's module.
const CARD: &str = "flue_card";
/// The card in a board's wrapper, with the same pins.
const BOARD: &str = "board_pins";
/// Which wrapper, by feature.
const BOARDS: [(&str, &[&str]); 3] = [
    ("CARGO_FEATURE_BRIDGE", &[]),
    ("CARGO_FEATURE_LINES", &["-GHAS_MSIX_TABLE=0"]),
    ("CARGO_FEATURE_F2", &["-GIS_F2=1'b1"]),
];
/// Packages, a file a line, in the order in which they lean on each other; modules are found by their
/// names.
const PACKAGES: &str = include_str!("../packages.txt");
/// What is taken of Ibex, a module a line, in the same order.
const IBEX: &str = include_str!("../ibex.txt");
/// Where Ibex's macros are, in its folder.
const IBEX_MACROS: [&str; 2] =
    ["vendor/lowrisc_ip/ip/prim/rtl", "vendor/lowrisc_ip/dv/sv/dv_utils"];
/// Where `cargo xtask rtl setup` puts things, below the target folder.
const BROUGHT_VERILATOR: &str = "tools/rtl/verilator/bin/flue-verilator";
const BROUGHT_IBEX: &str = "tools/rtl/ibex";
const BROUGHT_VEX: &str = "tools/rtl/vex/VexRiscv_IMAC.v";
const REMEDY: &str = "run `cargo xtask rtl setup`, or set VERILATOR (5.032 or newer) and FLUE_IBEX \
                      (the folder with rtl/ibex_core.sv)";

/// Makes the library and tells cargo to link it.
pub(crate) fn build() {
    for name in ["VERILATOR", "FLUE_IBEX", "FLUE_VEX"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let lists = ["ibex.txt", "packages.txt"];
    for path in ["build", "cpp", "rtl", "src/sizes.rs", "../abi/generated"].iter().chain(&lists) {
        println!("cargo::rerun-if-changed={path}");
    }
    let crate_folder = PathBuf::from(var("CARGO_MANIFEST_DIR"));
    let root = crate_folder.parent().expect("the crate is in a folder of the project");
    let model = PathBuf::from(var("OUT_DIR")).join("verilated");
    let verilator = from("VERILATOR", root, BROUGHT_VERILATOR);
    let verilator = verilator.unwrap_or_else(|| PathBuf::from("verilator"));
    let ibex = from("FLUE_IBEX", root, BROUGHT_IBEX);
    let ibex = ibex.unwrap_or_else(|| panic!("no Ibex: {REMEDY}"));
    let vex = env::var_os("CARGO_FEATURE_VEX").map(|_| {
        let vex = from("FLUE_VEX", root, BROUGHT_VEX);
        vex.unwrap_or_else(|| panic!("no VexRiscv: {REMEDY}; FLUE_VEX names VexRiscv_IMAC.v"))
    });
    let has_fst = env::var_os("CARGO_FEATURE_FST").is_some();
    if model.exists() {
        fs::remove_dir_all(&model).expect("what an earlier build left can be removed");
    }
    verilate(&verilator, root, (&ibex, vex.as_deref()), &model, has_fst);
    compile(&verilator, &model, has_fst);
}

fn verilate(
    verilator: &Path,
    root: &Path,
    (ibex, vex): (&Path, Option<&Path>),
    model: &Path,
    has_fst: bool,
) {
    let rtl = root.join("rtl-sim/rtl");
    let fpga = root.join("rtl-sim/fpga");
    let board = BOARDS.into_iter().find(|(feature, _)| env::var_os(feature).is_some());
    let (top, folder) = board.map_or((CARD, rtl.clone()), |_| (BOARD, fpga.join("sim")));
    let optimized = if is_unoptimized() { "-O0" } else { "-O3" };
    let mut command = Command::new(verilator);
    command
        .args(["--cc", optimized, "--assert", "--x-assign", "unique", "--x-initial", "unique"])
        // Style is for the lint of `cargo xtask rtl`; here only errors count.
        .args(["-Wno-fatal", "-Wno-lint", "-Wno-style", "-Wno-UNOPTFLAT", "-Wno-WIDTH"])
        .args(["+define+DV_FCOV_DISABLE", "--top-module", top, "--prefix", "Vflue_card"])
        .arg("--Mdir")
        .arg(model)
        .arg("-y")
        .arg(&rtl);
    if let Some((_, parameters)) = board {
        println!("cargo::rerun-if-changed=fpga");
        command.args(parameters).arg("-y").arg(fpga.join("rtl"));
    }
    if has_fst {
        command.args(["--trace-fst", "--trace-structs"]);
    }
    if let Some(vex) = vex {
        command.arg("+define+FLUE_CORE_VEX").arg(vex);
    }
    for (name, size) in sizes::PARAMETERS {
        command.arg(format!("-G{name}={size}"));
    }
    for folder in IBEX_MACROS {
        command.arg(format!("+incdir+{}", ibex.join(folder).display()));
    }
    command.args(IBEX.lines().map(|module| ibex.join(format!("rtl/{module}.sv"))));
    command.args(PACKAGES.lines().map(|package| root.join(package)));
    command.arg(folder.join(format!("{top}.sv")));
    let output = command.output();
    let output =
        output.unwrap_or_else(|error| panic!("{}: {error}: {REMEDY}", verilator.display()));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {}\n{said}", verilator.display(), output.status);
}

fn compile(verilator: &Path, model: &Path, has_fst: bool) {
    let root = Command::new(verilator).args(["--getenv", "VERILATOR_ROOT"]).output();
    let root = root.expect("Verilator has just run").stdout;
    let include = Path::new(String::from_utf8_lossy(&root).trim()).join("include");
    let mut build = cc::Build::new();
    build
        .cpp(true)
        .std("c++17")
        .opt_level(if is_unoptimized() { 0 } else { 2 })
        .debug(false)
        .warnings(false)
        .flag_if_supported("-fno-strict-aliasing")
        .include(model)
        .include(&include)
        .include(include.join("vltstd"))
        .define("VM_COVERAGE", "0")
        .define("VM_SC", "0")
        .define("VM_TRACE", if has_fst { "1" } else { "0" })
        .define("VM_TRACE_FST", if has_fst { "1" } else { "0" })
        .file("cpp/shim.cpp");
    let support = ["verilated", "verilated_dpi", "verilated_threads"];
    let support = support.into_iter().chain(has_fst.then_some("verilated_fst_c"));
    build.files(support.map(|file| include.join(format!("{file}.cpp"))));
    let files = fs::read_dir(model).expect("Verilator has written into its folder");
    let files = files.map(|file| file.expect("a folder that was opened can be read").path());
    let mut files: Vec<_> = files.filter(|file| file.extension() == Some("cpp".as_ref())).collect();
    files.sort();
    // One unit: the headers, which all of them include, are read once.
    let every = model.join("every.cc");
    let include = |file: PathBuf| format!("#include \"{}\"\n", file.display());
    fs::write(&every, files.into_iter().map(include).collect::<String>()).expect("it has room");
    build.file(every).compile("flue_card");
    println!("cargo::rustc-link-lib=pthread");
    if has_fst {
        println!("cargo::rustc-link-lib=z");
    }
}

/// Whether nothing is to be optimized, in either step: what the card does is not to lean on that.
fn is_unoptimized() -> bool {
    env::var_os("CARGO_FEATURE_UNOPTIMIZED").is_some()
}

fn var(name: &str) -> OsString {
    env::var_os(name).unwrap_or_else(|| panic!("cargo sets {name}"))
}

/// What `variable` names, or what was brought.
fn from(variable: &str, root: &Path, brought: &str) -> Option<PathBuf> {
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
    let brought = target.join(brought);
    env::var_os(variable).map(PathBuf::from).or_else(|| brought.exists().then_some(brought))
}
