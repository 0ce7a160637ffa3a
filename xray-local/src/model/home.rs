//! The region and the account that the server stands for, and the ARNs that follow from them.

/// Region and account of this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The region, such as `us-east-1`.
    pub region: String,
    /// The account's twelve digits.
    pub account: String,
}

impl Home {
    /// The partition of the region: `aws`, `aws-cn` or `aws-us-gov`.
    #[must_use]
    pub fn partition(&self) -> &'static str {
        if self.region.starts_with("cn-") {
            "aws-cn"
        } else if self.region.starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        }
    }

    /// The ARN of one of X-Ray's resources, such as `sampling-rule/Default`.
    #[must_use]
    pub fn xray_arn(&self, resource: &str) -> String {
        format!("arn:{}:xray:{}:{}:{resource}", self.partition(), self.region, self.account)
    }

    /// The ARN of an identity, such as `user/app`.
    #[must_use]
    pub fn iam_arn(&self, resource: &str) -> String {
        format!("arn:{}:iam::{}:{resource}", self.partition(), self.account)
    }
}

/// Region `us-east-1`, account `123456789012`.
impl Default for Home {
    fn default() -> Self {
        Self { region: "us-east-1".to_owned(), account: "123456789012".to_owned() }
    }
}
