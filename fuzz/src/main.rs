//! `cargo run --profile fuzz -p xray-fuzz`: generated input for every parser and writer that meets text or bytes of other
//! people's. No nightly toolchain and no instrumentation: seeds, a dictionary and mutations per target, and an oracle that
//! says what has to hold of every input.
//!
//! ```text
//! xray-fuzz --cases 20000               so many inputs for each target, the same ones each time
//! xray-fuzz --seconds 3600              new inputs for so long for each target
//! xray-fuzz --target sql --seed 17      one input again, which a failure named
//! ```
//!
//! A target is a function of bytes (`targets`), so that a fuzzer with coverage can call it as well.

mod generate;
mod targets;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use generate::Generator;
use targets::{TARGETS, Target};

/// What the command line asks for.
#[derive(Debug)]
struct Arguments {
    target: Option<String>,
    amount: Amount,
}

#[derive(Clone, Copy, Debug)]
enum Amount {
    Cases(u64),
    Seconds(u64),
    Seed(u64),
}

impl Arguments {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut read = Self { target: None, amount: Amount::Cases(20_000) };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            let number = || value.parse().map_err(|_| format!("{name} {value}: not a number"));
            match &*name {
                "--target" => read.target = Some(value),
                "--cases" => read.amount = Amount::Cases(number()?),
                "--seconds" => read.amount = Amount::Seconds(number()?),
                "--seed" => read.amount = Amount::Seed(number()?),
                _ => {
                    return Err(format!(
                        "unknown argument {name}; accepted are --target, --cases, --seconds, --seed"
                    ));
                }
            }
        }
        match &read.target {
            Some(name) if !TARGETS.iter().any(|target| target.name == name) => {
                let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
                Err(format!("unknown target {name}; accepted are {}", names.join(", ")))
            }
            _ => Ok(read),
        }
    }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to people")]
fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let wanted = |target: &&Target| arguments.target.as_deref().is_none_or(|name| name == target.name);
    for target in TARGETS.iter().filter(wanted) {
        let began = Instant::now();
        match run(target, arguments.amount) {
            Ok(cases) => {
                println!("{:10} {cases} inputs in {:.1} s", target.name, began.elapsed().as_secs_f64());
            }
            Err(failure) => {
                eprintln!("{failure}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Runs one target, and returns how many inputs held.
fn run(target: &Target, amount: Amount) -> Result<u64, String> {
    let (first, count, until) = match amount {
        Amount::Seed(seed) => (seed, 1, None),
        Amount::Cases(cases) => (0, cases, None),
        Amount::Seconds(seconds) => {
            let until = Instant::now() + Duration::from_secs(seconds);
            // Another stretch of the same sequence each time, far from the fixed cases.
            (u64::from(std::process::id()) << 40, u64::MAX, Some(until))
        }
    };
    let mut cases = 0;
    while cases < count && until.is_none_or(|until| Instant::now() < until) {
        let seed = first.wrapping_add(cases);
        let input = Generator::new(seed, target.seeds, target.words).input();
        check(target, &input).map_err(|problem| {
            let text = String::from_utf8_lossy(&input);
            let again =
                format!("cargo run --profile fuzz -p xray-fuzz -- --target {} --seed {seed}", target.name);
            format!("{}: {problem}\ninput: {text:?}\nagain: {again}", target.name)
        })?;
        cases += 1;
    }
    Ok(cases)
}

/// A panic is a failure like any other.
fn check(target: &Target, input: &[u8]) -> Result<(), String> {
    std::panic::catch_unwind(|| (target.check)(input)).unwrap_or_else(|_| Err("panicked".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_holds_for_its_seeds_and_a_few_mutations() {
        for target in TARGETS {
            for seed in target.seeds {
                assert_eq!(check(target, seed.as_bytes()), Ok(()), "{}: {seed:?}", target.name);
            }
            assert_eq!(run(target, Amount::Cases(300)), Ok(300));
        }
    }

    #[test]
    fn a_case_is_the_same_each_time_and_another_than_the_next() {
        let input = |seed| Generator::new(seed, &["Root=1-2-3"], &["="]).input();
        assert_eq!(input(7), input(7));
        assert!((0..20).any(|seed| input(seed) != input(seed + 1)));
    }

    #[test]
    fn a_failure_names_the_input_and_how_to_repeat_it() {
        let target = Target { name: "none", seeds: &["a"], words: &["b"], check: |_| Err("no".to_owned()) };
        let failure = run(&target, Amount::Seed(3)).unwrap_err();
        assert!(failure.contains("--target none --seed 3"), "{failure}");
        assert!(Arguments::read(["--target".to_owned(), "none".to_owned()].into_iter()).is_err());
    }
}
