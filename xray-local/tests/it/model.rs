//! The table of operations against `model.txt`, which states what X-Ray's public model says.
//!
//! `tests/python/model_facts.py` writes that file, and a test beside it compares the file with the model that botocore
//! carries.

use xray_local::access::action::ACTIONS;
use xray_local::api::OPERATIONS;
use xray_local::api::shape::describe;

/// Errors that operations answer with here; each has to be among those that the model lists for some operation.
const ERRORS: [&str; 9] = [
    "InvalidRequestException",
    "InvalidPolicyRevisionIdException",
    "LockoutPreventionException",
    "MalformedPolicyDocumentException",
    "PolicyCountLimitExceededException",
    "PolicySizeLimitExceededException",
    "ResourceNotFoundException",
    "RuleLimitExceededException",
    "TooManyTagsException",
];

#[test]
fn the_table_of_operations_is_that_of_the_public_model() {
    let model = include_str!("model.txt");
    let own: Vec<String> = OPERATIONS
        .iter()
        .map(|operation| format!("{} {} {}", operation.name, operation.path, describe(operation.members)))
        .collect();
    let stated: Vec<String> = model
        .lines()
        .map(|line| {
            let parts: Vec<&str> = line.splitn(4, ' ').collect();
            format!("{} {} {}", parts[0], parts[1], parts[3])
        })
        .collect();
    for (own, stated) in own.iter().zip(&stated) {
        assert_eq!(own, stated);
    }
    assert_eq!(own.len(), stated.len());
    for error in ERRORS {
        assert!(model.contains(error), "{error}");
    }
}

#[test]
fn every_operation_has_an_action_that_policies_can_name() {
    let operations: Vec<&str> = OPERATIONS.iter().map(|operation| operation.name).collect();
    let actions: Vec<&str> = ACTIONS.iter().map(|(name, _)| *name).collect();
    assert_eq!(operations, actions);
}
