//! `xray-local identity`: users and roles, while a server runs or not.
//!
//! Changes go into the data file, through a store of the command's own or beside the server that has the file open.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use rusqlite::Connection;
use serde_json::json;

use super::arguments::{account, region};
use super::failure::Failure;
use super::output;
use crate::access::directory::{self, DAEMON};
use crate::access::{AccessKey, DirectoryError, IdentityKind, Listed, NewIdentity, action, managed};
use crate::model::{Home, now};
use crate::store::{self, OpenError, Options, Place, Store};

/// Users and roles that may call. A server that runs sees changes at once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xray-local identity add app --policy AWSXRayDaemonWriteAccess
  xray-local identity list
  xray-local identity remove app")]
pub(super) struct Identity {
    #[command(subcommand)]
    command: IdentityCommand,
    /// The data file. Defaults to the place where the system keeps such data.
    #[arg(long, value_name = "FILE", value_parser = NonEmptyStringValueParser::new(), global = true)]
    data: Option<String>,
    /// The account that the server stands for: twelve digits.
    #[arg(long, value_name = "ID", value_parser = account, default_value = "123456789012", global = true)]
    account: String,
    /// The region that the server stands for, which decides on the partition of ARNs.
    #[arg(long, value_name = "REGION", value_parser = region, default_value = "us-east-1", global = true)]
    region: String,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

impl Identity {
    pub(super) fn run(&self) -> Result<ExitCode, Failure> {
        let place = match &self.data {
            Some(data) => Place::from_argument(data),
            None => Place::of_the_system().map_err(Failure::new)?,
        };
        let home = Home { region: self.region.clone(), account: self.account.clone() };
        if let IdentityCommand::Add(add) = &self.command {
            // Before a file is opened, or made.
            let new = new_identity(add).map_err(Failure::usage)?;
            directory::check(&new).map_err(Failure::usage)?;
        }
        let printed = run(&self.command, &place, &home, self.json).map_err(Failure::new)?;
        output::line(printed.trim_end())?;
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Debug, Subcommand)]
enum IdentityCommand {
    /// Add a user and print its keys, or add a role.
    #[command(after_help = ADD_EXAMPLES)]
    Add(AddArgs),
    /// List identities, their keys and policies.
    #[command(after_help = "Examples:
  xray-local identity list
  xray-local identity list --json")]
    List,
    /// Remove an identity with its keys and sessions.
    #[command(after_help = "Examples:
  xray-local identity remove app")]
    Remove {
        /// Name of the user or role.
        name: String,
    },
}

const ADD_EXAMPLES: &str = "\
Examples:
  xray-local identity add app --policy AWSXRayDaemonWriteAccess
  xray-local identity add reader --policy docs/policies/read-traces.json --json
  xray-local identity add shipper --trust trust.json --policy AWSXrayWriteOnlyAccess
  xray-local identity add daemon --policy docs/policies/daemon-local-sampling.json

The identity `daemon` is the one as which port 2000 acts; adding it replaces it.";

#[derive(Debug, Args)]
struct AddArgs {
    /// Name of the user or role.
    name: String,
    /// Policy to attach: the name of one of AWS's managed policies for X-Ray, or a JSON file. May be repeated.
    #[arg(long = "policy", value_name = "POLICY|FILE")]
    policies: Vec<String>,
    /// Permissions boundary: a policy that limits what the others may allow.
    #[arg(long, value_name = "POLICY|FILE")]
    boundary: Option<String>,
    /// Make a role, which those may assume whom this trust policy names.
    #[arg(long, value_name = "FILE")]
    trust: Option<String>,
    /// Tag of the identity, `aws:PrincipalTag/KEY` in conditions. May be repeated.
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    tags: Vec<String>,
}

/// Runs the command and returns what is to be printed.
///
/// # Errors
/// A sentence for the user.
fn run(command: &IdentityCommand, place: &Place, home: &Home, as_json: bool) -> Result<String, String> {
    match command {
        IdentityCommand::Add(add) => {
            let new = new_identity(add)?;
            let warnings = warnings(&new);
            let home = home.clone();
            let (identity, key) = change(place, &home.clone(), move |connection| {
                if new.name == DAEMON {
                    match directory::remove(connection, DAEMON) {
                        Ok(_) | Err(DirectoryError::Unknown(_)) => {}
                        Err(err) => return Err(err),
                    }
                }
                directory::add(connection, &home, &new, now())
            })?;
            Ok(if as_json {
                added_json(&identity, key.as_ref())
            } else {
                added(&identity, key.as_ref(), &warnings)
            })
        }
        IdentityCommand::List => {
            let listed = if is_absent(place) { Vec::new() } else { change(place, home, directory::list)? };
            Ok(if as_json { list_json(&listed) } else { list(&listed) })
        }
        IdentityCommand::Remove { name } if is_absent(place) => {
            Err(DirectoryError::Unknown(name.clone()).to_string())
        }
        IdentityCommand::Remove { name } => {
            let removed = name.clone();
            let identity = change(place, home, move |connection| directory::remove(connection, &removed))?;
            Ok(format!("Removed {}.\n", identity.arn))
        }
    }
}

/// Reports whether the data file is yet to be made, which reading alone does not do.
fn is_absent(place: &Place) -> bool {
    matches!(place, Place::File(path) if !path.exists())
}

/// Reads a policy argument: a file if there is one of that name or the name ends in `.json`, otherwise a managed policy.
///
/// Returns the name and, for a file, its content.
///
/// # Errors
/// The file can't be read.
pub(super) fn policy_argument(argument: &str) -> Result<(String, Option<String>), String> {
    let path = Path::new(argument);
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    if managed::document(argument).is_some() || !(is_json || path.is_file()) {
        return Ok((argument.to_owned(), None));
    }
    let document =
        fs::read_to_string(path).map_err(|err| format!("can't read the policy {argument}: {err}"))?;
    Ok((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), Some(document)))
}

fn new_identity(args: &AddArgs) -> Result<NewIdentity, String> {
    let policies = args.policies.iter().map(|policy| policy_argument(policy)).collect::<Result<_, _>>()?;
    let boundary = match &args.boundary {
        None => None,
        Some(argument) => {
            let (name, document) = policy_argument(argument)?;
            let document = document.or_else(|| managed::document(&name));
            Some(document.ok_or_else(|| format!("\"{argument}\" is neither a file nor a managed policy"))?)
        }
    };
    let trust = match &args.trust {
        None => None,
        Some(path) => Some(
            fs::read_to_string(path).map_err(|err| format!("can't read the trust policy {path}: {err}"))?,
        ),
    };
    let mut tags = BTreeMap::new();
    for tag in &args.tags {
        let (key, value) =
            tag.split_once('=').ok_or_else(|| format!("the tag \"{tag}\" must be KEY=VALUE"))?;
        tags.insert(key.to_owned(), value.to_owned());
    }
    Ok(NewIdentity { name: args.name.clone(), trust, policies, boundary, tags })
}

/// Changes the file, through a store of its own or beside the server that has it open.
fn change<T: Send + 'static>(
    place: &Place,
    home: &Home,
    change: impl FnOnce(&Connection) -> Result<T, DirectoryError> + Send + 'static,
) -> Result<T, String> {
    if *place == Place::Memory {
        return Err(
            "identities of a store in memory are gone when the command ends; name a file with --data"
                .to_owned(),
        );
    }
    let mut options = Options::at(place.clone());
    options.home = home.clone();
    match Store::open(options) {
        Ok(store) => {
            let result = store.write_blocking(change);
            store.close();
            result.map_err(|err| err.to_string())
        }
        Err(OpenError::InUse(path)) => store::beside(&path, change).map_err(|err| err.to_string()),
        Err(err) => Err(err.to_string()),
    }
}

/// Remarks on policies that are accepted, but can't do what their author may expect.
fn warnings(new: &NewIdentity) -> Vec<String> {
    let actions = action::xray_actions();
    let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
    let mut warnings = Vec::new();
    for (name, document) in &new.policies {
        if let Ok(named) = directory::parse(name.clone(), document.clone()) {
            let found = named.policy.warnings(&actions, &action::CONDITION_KEYS);
            warnings.extend(found.into_iter().map(|warning| format!("{name}: {warning}")));
        }
    }
    warnings
}

fn added(identity: &crate::access::Identity, key: Option<&AccessKey>, warnings: &[String]) -> String {
    let mut output = String::new();
    for warning in warnings {
        output.push_str(&format!("warning: {warning}\n"));
    }
    output.push_str(&format!("Added {}.\n", identity.arn));
    match key {
        Some(key) => output.push_str(&format!(
            "\n# ~/.aws/credentials\n[{}]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            identity.name, key.id, key.secret
        )),
        None => output.push_str(&format!(
            "\naws sts assume-role --role-arn {} --role-session-name me --endpoint-url http://127.0.0.1:2001\n",
            identity.arn
        )),
    }
    output
}

fn added_json(identity: &crate::access::Identity, key: Option<&AccessKey>) -> String {
    let value = match key {
        Some(key) => json!({
            "access_key_id": key.id,
            "secret_access_key": key.secret,
            "arn": identity.arn,
        }),
        None => json!({"arn": identity.arn}),
    };
    format!("{value}\n")
}

fn list(listed: &[Listed]) -> String {
    let mut output = String::new();
    for Listed { identity, keys, policies } in listed {
        output.push_str(&format!("{:5} {}\n", identity.kind.name(), identity.arn));
        if !policies.is_empty() {
            output.push_str(&format!("      policies: {}\n", policies.join(", ")));
        }
        if identity.boundary.is_some() {
            output.push_str("      with a permissions boundary\n");
        }
        if identity.kind == IdentityKind::User {
            output.push_str(&format!("      keys: {}\n", keys.join(", ")));
        }
    }
    if output.is_empty() {
        "No identities. Add one: xray-local identity add NAME --policy POLICY\n".to_owned()
    } else {
        output
    }
}

fn list_json(listed: &[Listed]) -> String {
    let identities: Vec<_> = listed
        .iter()
        .map(|Listed { identity, keys, policies }| {
            json!({
                "name": identity.name,
                "kind": identity.kind.name(),
                "arn": identity.arn,
                "access_key_ids": keys,
                "policies": policies,
                "boundary": identity.boundary.is_some(),
                "tags": identity.tags,
            })
        })
        .collect();
    format!("{}\n", serde_json::Value::Array(identities))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_added_listed_and_removed_also_beside_a_server() {
        let folder = std::env::temp_dir().join(format!("xray-local-identity-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let place = Place::File(folder.join("xray.db"));
        let home = Home::default();
        let policy = folder.join("own.json");
        fs::write(&policy, r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "xray:GetGrop", "Resource": "*"}}"#)
            .unwrap();
        let add = |name: &str, policies: Vec<String>| {
            IdentityCommand::Add(AddArgs {
                name: name.to_owned(),
                policies,
                boundary: Some("AWSXrayReadOnlyAccess".to_owned()),
                trust: None,
                tags: vec!["team=web".to_owned()],
            })
        };
        let before = run(&add("app", vec!["AWSXrayFullAccess".to_owned()]), &place, &home, true).unwrap();
        let keys: serde_json::Value = serde_json::from_str(&before).unwrap();
        assert_eq!(keys["arn"], "arn:aws:iam::123456789012:user/app");
        assert!(keys["secret_access_key"].as_str().is_some_and(|secret| secret.len() == 40));

        let server = Store::open(Options::at(place.clone())).unwrap();
        let output =
            run(&add("other", vec![policy.to_string_lossy().into_owned()]), &place, &home, false).unwrap();
        assert!(
            output.contains("warning: own.json: statement 1: \"xray:getgrop\" matches no action"),
            "{output}"
        );
        assert!(output.contains("aws_access_key_id = AKIA"), "{output}");
        assert_eq!(server.read(directory::list).unwrap().len(), 2);
        let listed = run(&IdentityCommand::List, &place, &home, false).unwrap();
        assert!(
            listed.contains("user  arn:aws:iam::123456789012:user/other\n      policies: own.json"),
            "{listed}"
        );
        let remove = IdentityCommand::Remove { name: "app".to_owned() };
        run(&remove, &place, &home, false).unwrap();
        assert_eq!(run(&remove, &place, &home, false).unwrap_err(), "no identity is called \"app\"");
        server.close();
        fs::remove_dir_all(&folder).unwrap();
    }
}
