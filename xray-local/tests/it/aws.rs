//! The feature `aws`: reading commands over TLS, with keys that AWS's credentials chain finds.
//!
//! A server of this machine stands for AWS: it holds a certificate of the test's own authority, and passes what it
//! decrypts to an xray-local that checks signatures and policies.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::program::{Folder, Program, command, post, segment};

/// An xray-local behind TLS, with a reader's keys.
struct Rig {
    folder: Folder,
    program: Program,
    port: u16,
    key: String,
    secret: String,
    _runtime: tokio::runtime::Runtime,
}

impl Rig {
    fn start() -> Self {
        let folder = Folder::new();
        let data = folder.file();
        let added = command()
            .args(["identity", "add", "reader", "--policy", "AWSXrayReadOnlyAccess", "--json", "--data"])
            .arg(&data)
            .output()
            .unwrap();
        let added: Value = serde_json::from_slice(&added.stdout).unwrap();
        let read = |name: &str| added[name].as_str().unwrap().to_owned();
        let trust = folder.0.join("trust.json");
        let principal = "arn:aws:iam::123456789012:user/reader";
        let statement = serde_json::json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"});
        let document = serde_json::json!({"Version": "2012-10-17", "Statement": [statement]});
        std::fs::write(&trust, document.to_string()).unwrap();
        let role = command()
            .args(["identity", "add", "auditor", "--policy", "AWSXrayReadOnlyAccess", "--trust"])
            .arg(&trust)
            .arg("--data")
            .arg(&data)
            .output()
            .unwrap();
        assert!(role.status.success(), "{role:?}");
        let program = Program::start(&data, &["--access", "enforce", "--region", "eu-west-1"]);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let port = runtime.block_on(behind_tls(acceptor(&folder), program.api));
        Self {
            key: read("access_key_id"),
            secret: read("secret_access_key"),
            folder,
            program,
            port,
            _runtime: runtime,
        }
    }

    fn authority(&self) -> PathBuf {
        self.folder.0.join("authority.pem")
    }

    /// A command without any key in its environment, which trusts the authority and asks behind TLS.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command();
        let none = self.folder.0.join("none");
        for name in
            ["AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"]
        {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .args(["--endpoint", &format!("https://localhost:{}", self.port)])
            .env("AWS_CA_BUNDLE", self.authority())
            .env("AWS_CONFIG_FILE", &none)
            .env("AWS_SHARED_CREDENTIALS_FILE", &none)
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }
}

/// Writes the authority's certificate into the folder; the server's end of a connection to `localhost`.
fn acceptor(folder: &Folder) -> TlsAcceptor {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "an authority of a test");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    std::fs::write(folder.0.join("authority.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(4000, 1, 1));
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Passes what arrives behind TLS to `to`, byte by byte. Returns the port.
async fn behind_tls(acceptor: TlsAcceptor, to: SocketAddr) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut outside) = acceptor.accept(stream).await else { return };
                let mut inside = TcpStream::connect(to).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });
    port
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_reading_command_works_over_tls_with_a_key_of_the_environment() {
    let rig = Rig::start();
    let (id, document) = segment(1, "");
    let body = serde_json::json!({"TraceSegmentDocuments": [document]}).to_string();
    // The daemon's door acts as an identity of its own, so the reader need not write.
    assert_eq!(post(rig.program.tcp, "/TraceSegments", body.as_bytes()).unwrap().0, 200);
    for (arguments, expected) in [
        (vec!["traces"], "shop"),
        (vec!["traces", "service(\"shop\")", "--json"], id.as_str()),
        (vec!["show", "latest"], "shop"),
        (vec!["show", &id, "--json"], id.as_str()),
        (vec!["map"], "shop"),
        (vec!["map", "service(\"shop\")"], "shop"),
        (vec!["export"], id.as_str()),
        (vec!["assert", "service(\"shop\")", "--json"], id.as_str()),
    ] {
        let output = rig
            .command(&arguments)
            .env("AWS_ACCESS_KEY_ID", &rig.key)
            .env("AWS_SECRET_ACCESS_KEY", &rig.secret)
            .env("AWS_REGION", "eu-west-1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(expected), "{arguments:?}: {output:?}");
    }
}

#[test]
fn keys_and_region_come_from_a_profile_a_process_or_a_role() {
    let rig = Rig::start();
    let file = |name: &str, content: String| {
        let path = rig.folder.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let keys = format!("[work]\naws_access_key_id = {}\naws_secret_access_key = {}\n", rig.key, rig.secret);
    let (credentials, config) =
        (file("credentials", keys), file("config", "[profile work]\nregion = eu-west-1\n".into()));
    let finds_nothing = |command: &mut Command| {
        let output = command.output().unwrap();
        // Signed and allowed, but there is no trace.
        assert_eq!(output.status.code(), Some(3), "{output:?}");
    };
    finds_nothing(
        rig.command(&["traces"])
            .env("AWS_SHARED_CREDENTIALS_FILE", credentials)
            .env("AWS_CONFIG_FILE", config)
            .env("AWS_PROFILE", "work"),
    );
    let json = format!(r#"{{"Version":1,"AccessKeyId":"{}","SecretAccessKey":"{}"}}"#, rig.key, rig.secret);
    let printed = file("keys.json", json);
    let process = format!("[default]\nregion = eu-west-1\ncredential_process = cat {}\n", printed.display());
    finds_nothing(rig.command(&["traces"]).env("AWS_CONFIG_FILE", file("process", process)));
    let roles = format!(
        "[profile keys]\naws_access_key_id = {}\naws_secret_access_key = {}\n\
         [default]\nregion = eu-west-1\nsource_profile = keys\nrole_arn = arn:aws:iam::123456789012:role/auditor\n",
        rig.key, rig.secret
    );
    // The role is assumed at the STS of the same xray-local, whose keys have a session token.
    finds_nothing(
        rig.command(&["traces"])
            .env("AWS_CONFIG_FILE", file("roles", roles))
            .env("AWS_ENDPOINT_URL_STS", format!("http://{}", rig.program.api)),
    );
}

#[test]
fn what_the_policies_do_not_allow_is_refused_over_tls_as_well() {
    let rig = Rig::start();
    let refused = rig
        .command(&["traces", "--region", "eu-west-1"])
        .env("AWS_ACCESS_KEY_ID", &rig.key)
        .env("AWS_SECRET_ACCESS_KEY", "another")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("InvalidSignatureException (403)"), "{refused:?}");
    let elsewhere = rig
        .command(&["traces", "--region", "us-west-2"])
        .env("AWS_ACCESS_KEY_ID", &rig.key)
        .env("AWS_SECRET_ACCESS_KEY", &rig.secret)
        .output()
        .unwrap();
    assert!(said(&elsewhere).contains("valid region"), "{elsewhere:?}");
}

#[test]
fn nothing_is_sent_without_trust_credentials_or_a_region() {
    let rig = Rig::start();
    let with_keys = |command: &mut Command| {
        command.env("AWS_ACCESS_KEY_ID", &rig.key).env("AWS_SECRET_ACCESS_KEY", &rig.secret).output().unwrap()
    };
    let reading = ["traces", "--region", "eu-west-1"];
    let untrusted = with_keys(rig.command(&reading).env_remove("AWS_CA_BUNDLE"));
    assert_eq!(untrusted.status.code(), Some(1), "{untrusted:?}");
    assert!(said(&untrusted).contains("certificate"), "{untrusted:?}");
    for content in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let bundle = rig.folder.0.join("bundle.pem");
        std::fs::write(&bundle, content).unwrap();
        let unreadable = with_keys(rig.command(&reading).env("AWS_CA_BUNDLE", &bundle));
        assert_eq!(unreadable.status.code(), Some(2), "{content} {unreadable:?}");
        assert!(said(&unreadable).contains("AWS_CA_BUNDLE"), "{unreadable:?}");
    }
    let keyless = rig.command(&reading).output().unwrap();
    assert_eq!(keyless.status.code(), Some(1));
    assert!(said(&keyless).contains("no AWS credentials"), "{keyless:?}");
    let nowhere = with_keys(&mut rig.command(&["traces"]));
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(said(&nowhere).contains("--region"), "{nowhere:?}");
}

#[test]
fn commands_that_write_refuse_to_send_over_tls() {
    let rig = Rig::start();
    for arguments in [["demo", "--requests=1"], ["import", "/dev/null"], ["open", "--region=eu-west-1"]] {
        let refused = rig
            .command(&arguments)
            .env("AWS_ACCESS_KEY_ID", &rig.key)
            .env("AWS_SECRET_ACCESS_KEY", &rig.secret)
            .output()
            .unwrap();
        assert_ne!(refused.status.code(), Some(0), "{arguments:?}");
    }
    let file = rig.folder.0.join("documents.jsonl");
    std::fs::write(&file, segment(1, "").1).unwrap();
    let refused = rig.command(&["import", file.to_str().unwrap()]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("nothing is written to AWS"), "{refused:?}");
}
