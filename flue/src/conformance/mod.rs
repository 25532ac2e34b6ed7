//! Tries the claims of the contract on a card: the conformance suite as a command.
//!
//! From names to a verdict a claim. The claims are `hw_model`'s; here is who they are tried on
//! (the model in this process, or a served one through its bench BAR), and how a person or a
//! script hears of it. Cards are made and powered by the rig; nothing else touches them.
//! Invariant: a claim counts as held only when it was tried, returned, and nothing panicked
//! meanwhile, in whatever thread.

mod report;
mod trial;

use std::io::{self, Write};
use std::sync::Arc;

use abi::core::Capabilities;
use abi::host::register;
use host_driver::backing::Registers;
use host_driver::vfio::{PciAddress, VfioCard};
use host_driver::{AttachError, Config, Session};
use hw_model::bench::{BenchError, BenchRig};
use hw_model::conformance::{Claim, ModelRig, Needs, Rig, claims};

use self::report::Report;
use self::trial::{Trial, Verdict};
use crate::args::{Capacity, CardName, ConformanceArgs};
use crate::card::{self, CardError};
use crate::image;

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConformanceError {
    /// The card cannot be had.
    #[error(transparent)]
    Card(#[from] CardError),
    /// Its bench cannot.
    #[error("{card}: {source}")]
    Bench {
        card: CardName,
        #[source]
        source: BenchError,
    },
    /// It has none.
    #[error(
        "{0}: has no bench BAR, by which the suite powers a card and sees its port; only a served model has one: flue serve --bench"
    )]
    NoBench(CardName),
    /// A name that fits no claim.
    #[error("no claim's name is or begins with `{0}`; flue conformance --list prints them")]
    NoClaim(String),
    /// The verdicts could not be written.
    #[error("cannot write the verdicts: {0}")]
    Write(#[from] io::Error),
}

impl ConformanceError {
    /// Whether the command line is to blame.
    pub(crate) fn is_wrong(&self) -> bool {
        match self {
            Self::NoClaim(_) => true,
            Self::Card(error) => error.is_wrong(),
            Self::Bench { .. } | Self::NoBench(_) | Self::Write(_) => false,
        }
    }
}

/// Tries the claims that were asked for. Whether every one of them held.
///
/// # Errors
/// All of [`ConformanceError`].
pub(crate) fn run(args: &ConformanceArgs) -> Result<bool, ConformanceError> {
    let names: Vec<&str> = claims::<ModelRig>().iter().map(|claim| claim.name).collect();
    let chosen = choose(&names, &args.names)?;
    if args.list {
        return report::list(&chosen).map(|()| true).map_err(ConformanceError::from);
    }
    card::refuse_model_options(args.card, args.timed, &Capacity::default(), None)?;
    let body = image::body(args.card, args.image.as_deref()).map_err(CardError::from)?;
    match args.card {
        CardName::Model | CardName::Riscv => {
            card::refuse_pci_id(args.pci_id)?;
            let rig = ModelRig { is_timed: args.timed, body, ..ModelRig::FREE_RUNNING };
            try_all(args, &pick(&chosen), &rig, || true, &mut io::stdout())
        }
        #[cfg(feature = "rtl")]
        CardName::Rtl => {
            card::refuse_pci_id(args.pci_id)?;
            let image = image::image(args.card, args.image.as_deref()).map_err(CardError::from)?;
            let rig = crate::rtl::rig(image.expect("this card takes an image"));
            try_all(args, &pick(&chosen), &rig, || true, &mut io::stdout())
        }
        #[cfg(not(feature = "rtl"))]
        CardName::Rtl => unreachable!("the name is refused where it is read"),
        CardName::Vfio(address) => on_served(args, &chosen, address),
    }
}

/// Tries claims on a served card, and leaves it as large as it was found.
fn on_served(
    args: &ConformanceArgs,
    chosen: &[&'static str],
    address: PciAddress,
) -> Result<bool, ConformanceError> {
    let card = card::vfio(address, args.pci_id)?;
    // A card that this driver cannot talk to is one error here, not one a claim.
    let capabilities = offered(&card).map_err(CardError::from)?;
    let Some((registers, mirror)) = card::bench(&card)? else {
        return Err(ConformanceError::NoBench(args.card));
    };
    let rig = BenchRig::new(Arc::clone(&card), registers, mirror)
        .map_err(|source| ConformanceError::Bench { card: args.card, source })?;
    let is_there = || card.read(register::IDENTITY.offset) == register::IDENTITY_VALUE;
    let verdict = try_all(args, &pick(chosen), &rig, is_there, &mut io::stdout())?;
    let as_before = Needs { capabilities, ..Needs::default() };
    if let Err(unfit) = rig.power_on(&as_before) {
        eprintln!("flue: {}: could not be made as it was before the suite: {unfit}", args.card);
    }
    Ok(verdict)
}

fn offered(card: &Arc<VfioCard>) -> Result<Capabilities, AttachError> {
    let session = Session::attach(Arc::clone(card), &Config::default())?;
    let capabilities = *session.capabilities();
    session.detach()?;
    Ok(capabilities)
}

/// The claims with these names, for cards of one rig.
fn pick<R: Rig>(chosen: &[&'static str]) -> Vec<Claim<R>> {
    claims().into_iter().filter(|claim| chosen.contains(&claim.name)).collect()
}

/// Tries claims on cards that `rig` makes, as long as the card is there.
fn try_all<R: Rig>(
    args: &ConformanceArgs,
    claims: &[Claim<R>],
    rig: &R,
    is_there: impl Fn() -> bool,
    output: &mut dyn Write,
) -> Result<bool, ConformanceError> {
    let mut report = Report::new(args, claims.len(), output)?;
    let trial = Trial::begin();
    let mut is_lost = false;
    for claim in claims {
        report.begin(claim.name);
        let verdict = match is_lost {
            true => Verdict::skipped("the card is no longer there"),
            false => trial.of(claim, rig),
        };
        is_lost = is_lost || !verdict.has_held() && !is_there();
        report.tell(claim.name, &verdict)?;
    }
    drop(trial);
    report.end().map_err(ConformanceError::from)
}

/// The claims whose names were given, or begin as was given; all when nothing was.
fn choose(names: &[&'static str], asked: &[String]) -> Result<Vec<&'static str>, ConformanceError> {
    let fits = |name: &str, asked: &str| match names.contains(&asked) {
        // A name that begins another one means itself.
        true => name == asked,
        false => name.starts_with(asked),
    };
    if let Some(stranger) = asked.iter().find(|asked| !names.iter().any(|name| fits(name, asked))) {
        return Err(ConformanceError::NoClaim(stranger.clone()));
    }
    let is_chosen = |name: &&&str| asked.is_empty() || asked.iter().any(|asked| fits(name, asked));
    Ok(names.iter().filter(is_chosen).copied().collect())
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use hw_model::conformance::Unfit;
    use serde_json::Value;

    use super::*;
    use crate::args::{Cli, Command};

    /// What is told of claims, and whether all held. A claim `loses_the_card`, if there is one.
    fn told(options: &[&str], claims: &[Claim<ModelRig>]) -> (String, bool) {
        let cli = Cli::parse_from([&["flue", "conformance"], options].concat());
        let Command::Conformance(args) = cli.command else { unreachable!("it was parsed so") };
        let mut output = Vec::new();
        let is_there = || !claims.iter().any(|claim| claim.name == "loses_the_card");
        let held = try_all(&args, claims, &ModelRig::TIMED, is_there, &mut output).unwrap();
        (String::from_utf8(output).unwrap(), held)
    }

    fn lines(options: &[&str], claims: &[Claim<ModelRig>]) -> (Vec<Value>, bool) {
        let (text, held) = told(&[&["--json"], options].concat(), claims);
        (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), held)
    }

    const HOLDS: Claim<ModelRig> = Claim { name: "holds", check: |_| Ok(()) };
    const BREAKS: Claim<ModelRig> = Claim { name: "breaks", check: |_| panic!("an old frame") };
    const NEEDS_MORE: Claim<ModelRig> =
        Claim { name: "needs_more", check: |_| Err(Unfit("a second port".to_owned())) };
    const LOSES_THE_CARD: Claim<ModelRig> =
        Claim { name: "loses_the_card", check: |_| panic!("has vanished") };

    #[test]
    fn only_a_suite_of_which_every_claim_held_has_held() {
        let (told, held) = lines(&[], &[HOLDS]);
        assert!(held);
        assert_eq!((told.len(), &told[0]["result"]), (2, &"held".into()));
        for (claim, result, why) in [
            (BREAKS, "broken", "an old frame"),
            (NEEDS_MORE, "skipped", "this body cannot be given a second port"),
        ] {
            let (told, held) = lines(&["--timed"], &[HOLDS, claim, HOLDS]);
            assert!(!held, "{result}");
            assert_eq!(told[1]["result"], result);
            assert!(told[1]["why"].as_str().unwrap().starts_with(why), "{}", told[1]);
            let last = &told[3];
            assert_eq!(
                (&last["claims"], &last["held"], &last[result]),
                (&3.into(), &2.into(), &1.into())
            );
        }
    }

    #[test]
    fn a_person_reads_why_below_the_claim() {
        let (page, _) = told(&[], &[BREAKS, NEEDS_MORE]);
        let lines: Vec<&str> = page.lines().collect();
        assert!(lines[2].starts_with("  ✗ breaks "), "{page}");
        assert!(lines[3].starts_with("      an old frame (flue/src/conformance/mod.rs:"), "{page}");
        assert!(lines[4].starts_with("  – needs_more "), "{page}");
        assert!(page.contains("2 claims on the model, free-running: 0 held, 1 broken, 1 skipped"));
    }

    #[test]
    fn after_the_card_is_lost_no_claim_is_tried() {
        let (told, held) = lines(&[], &[HOLDS, LOSES_THE_CARD, HOLDS, BREAKS]);
        let results: Vec<&str> = told.iter().filter_map(|line| line["result"].as_str()).collect();
        assert_eq!((results, held), (vec!["held", "broken", "skipped", "skipped"], false));
        assert_eq!(told[2]["why"], "the card is no longer there");
    }

    const NAMES: [&str; 3] = ["relink_moves", "relink_moves_all", "query_tells"];

    fn chosen(asked: &[&str]) -> Result<Vec<&'static str>, ConformanceError> {
        let asked: Vec<String> = asked.iter().map(|name| (*name).to_owned()).collect();
        choose(&NAMES, &asked)
    }

    #[test]
    fn a_name_means_itself_and_the_beginning_of_names_all_of_them() {
        assert_eq!(chosen(&[]).unwrap(), NAMES);
        assert_eq!(chosen(&["relink_moves"]).unwrap(), ["relink_moves"]);
        assert_eq!(chosen(&["relink_"]).unwrap(), ["relink_moves", "relink_moves_all"]);
        assert_eq!(chosen(&["query_tells", "relink_moves"]).unwrap(), [NAMES[0], NAMES[2]]);
    }

    #[test]
    fn a_name_that_fits_nothing_is_the_callers_mistake() {
        let error = chosen(&["relink_moves", "moves"]).unwrap_err();
        assert!(error.is_wrong() && error.to_string().contains("`moves`"), "{error}");
    }
}
