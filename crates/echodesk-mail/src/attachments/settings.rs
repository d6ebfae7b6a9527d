//! Which store to use, from the settings of the process.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use echodesk_core::Environment;
use url::Url;

use super::{FolderStore, S3Settings, S3Store};
use crate::ports::{AttachmentError, AttachmentStore};

/// Names the store: `file:///folder` or `s3://bucket/prefix`.
const PLACE: &str = "ECHODESK_ATTACHMENTS";

/// Where what is in it can be read.
const PUBLIC_URL: &str = "ECHODESK_ATTACHMENTS_URL";

/// A store, not opened yet.
#[derive(Clone, Debug)]
pub enum AttachmentSettings {
    /// A folder.
    Folder {
        /// The folder.
        root: PathBuf,
        /// Where it can be read over HTTP, if anywhere.
        public_url: Option<String>,
    },
    /// A bucket.
    S3(S3Settings),
}

/// Why the settings name no store.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttachmentSettingsError {
    /// Neither of the two kinds of place.
    #[error("{PLACE} must be file:///folder or s3://bucket/prefix: {problem}")]
    Place {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A setting that holds no address.
    #[error("{name} must be an http:// or https:// address")]
    Address {
        /// The setting.
        name: &'static str,
    },
    /// A bucket without what is needed to reach it.
    #[error("{name} is not set, and {PLACE} names a bucket")]
    Missing {
        /// The setting.
        name: &'static str,
    },
}

impl AttachmentSettings {
    /// Reads `ECHODESK_ATTACHMENTS`, `ECHODESK_ATTACHMENTS_URL` and, for a bucket, the names that
    /// EchoDesk itself uses: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_S3_ENDPOINT_URL`,
    /// `AWS_S3_REGION_NAME`. None if nothing is set and there is no `default_folder`.
    ///
    /// # Errors
    /// See [`AttachmentSettingsError`]. No value is repeated in an error: an address may hold a key.
    pub fn from_environment(
        environment: &Environment,
        default_folder: Option<&Path>,
    ) -> Result<Option<Self>, AttachmentSettingsError> {
        let public_url = environment.get(PUBLIC_URL).map(|text| address(PUBLIC_URL, text)).transpose()?;
        let public_url = public_url.map(String::from);
        let Some(place) = environment.get(PLACE) else {
            return Ok(default_folder.map(|root| Self::Folder { root: root.to_owned(), public_url }));
        };
        let place = Url::parse(place).map_err(|_| malformed("it is not a URL"))?;
        if !place.username().is_empty() || place.password().is_some() {
            return Err(malformed("keys belong in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"));
        }
        if place.query().is_some() || place.fragment().is_some() {
            return Err(malformed("it has a query or a fragment"));
        }
        match place.scheme() {
            "file" => {
                let root = place.to_file_path().map_err(|()| malformed("it names no folder of this machine"))?;
                Ok(Some(Self::Folder { root, public_url }))
            }
            "s3" => bucket(environment, &place, public_url).map(Self::S3).map(Some),
            _ => Err(malformed("its scheme is unknown")),
        }
    }

    /// Opens the store.
    ///
    /// # Errors
    /// The folder's path or the bucket's address cannot be used.
    pub fn build(self) -> Result<Arc<dyn AttachmentStore>, AttachmentError> {
        Ok(match self {
            Self::Folder { root, public_url } => Arc::new(FolderStore::new(root, public_url)?),
            Self::S3(settings) => Arc::new(S3Store::new(settings)?),
        })
    }
}

fn bucket(
    environment: &Environment,
    place: &Url,
    public_url: Option<String>,
) -> Result<S3Settings, AttachmentSettingsError> {
    const ENDPOINT: &str = "AWS_S3_ENDPOINT_URL";
    let secret = |name| environment.secret(name).ok_or(AttachmentSettingsError::Missing { name });
    let bucket = place.host_str().filter(|bucket| !bucket.is_empty()).ok_or(malformed("it names no bucket"))?;
    let prefix = place.path().trim_matches('/');
    if !prefix.split('/').all(|segment| prefix.is_empty() || is_plain(segment)) {
        return Err(malformed("its prefix may hold letters, digits, -, _ and . only"));
    }
    let region = environment.get("AWS_S3_REGION_NAME").unwrap_or("us-east-1");
    let own_endpoint = environment.get(ENDPOINT);
    let endpoint = match own_endpoint {
        Some(text) => address(ENDPOINT, text)?,
        None => Url::parse(&format!("https://s3.{region}.amazonaws.com"))
            .map_err(|_| AttachmentSettingsError::Address { name: "AWS_S3_REGION_NAME" })?,
    };
    Ok(S3Settings {
        endpoint,
        region: region.to_owned(),
        bucket: bucket.to_owned(),
        access_key: secret("AWS_ACCESS_KEY_ID")?,
        secret_key: secret("AWS_SECRET_ACCESS_KEY")?,
        prefix: prefix.to_owned(),
        public_url,
        // Other services than Amazon's all understand the bucket in the path; in a host name a dot
        // would break the certificate.
        path_style: own_endpoint.is_some() || bucket.contains('.'),
    })
}

fn is_plain(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn address(name: &'static str, text: &str) -> Result<Url, AttachmentSettingsError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or(AttachmentSettingsError::Address { name })
}

fn malformed(problem: &'static str) -> AttachmentSettingsError {
    AttachmentSettingsError::Place { problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];

    fn read(pairs: &[(&str, &str)]) -> Result<Option<AttachmentSettings>, AttachmentSettingsError> {
        AttachmentSettings::from_environment(&pairs.iter().copied().collect(), None)
    }

    fn read_s3(pairs: &[(&str, &str)]) -> S3Settings {
        match read(&[&KEYS, pairs].concat()).unwrap().unwrap() {
            AttachmentSettings::S3(settings) => settings,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_set_is_the_default_folder_or_nothing() {
        assert!(read(&[]).unwrap().is_none());
        let environment = Environment::default();
        let folder = AttachmentSettings::from_environment(&environment, Some(Path::new("data/attachments")));
        assert!(matches!(folder, Ok(Some(AttachmentSettings::Folder { public_url: None, .. }))), "{folder:?}");
    }

    #[test]
    fn a_folder_is_a_file_url() {
        let settings = read(&[(PLACE, "file:///var/mail%20files"), (PUBLIC_URL, "https://cdn.example.com/m")]);
        let Ok(Some(AttachmentSettings::Folder { root, public_url })) = settings else { panic!("{settings:?}") };
        assert_eq!(root, Path::new("/var/mail files"));
        assert_eq!(public_url.as_deref(), Some("https://cdn.example.com/m"));
    }

    #[test]
    fn a_bucket_has_echodesk_own_settings() {
        let amazon = read_s3(&[(PLACE, "s3://media/mail/in/"), ("AWS_S3_REGION_NAME", "eu-central-1")]);
        assert_eq!((amazon.bucket.as_str(), amazon.prefix.as_str(), amazon.path_style), ("media", "mail/in", false));
        assert_eq!(amazon.endpoint.as_str(), "https://s3.eu-central-1.amazonaws.com/");
        let other = read_s3(&[(PLACE, "s3://media"), ("AWS_S3_ENDPOINT_URL", "http://127.0.0.1:9000")]);
        assert_eq!((other.prefix.as_str(), other.region.as_str(), other.path_style), ("", "us-east-1", true));
        let shown = format!("{other:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("AKIAEXAMPLE"), "{shown}");
    }

    #[test]
    fn what_is_wrong_is_named_and_no_value_repeated() {
        for (pairs, expected) in [
            (vec![(PLACE, "/var/mail")], PLACE),
            (vec![(PLACE, "ftp://hunter2/x")], PLACE),
            (vec![(PLACE, "s3://AKIA:hunter2@media/x")], "AWS_SECRET_ACCESS_KEY"),
            (vec![(PLACE, "s3:///x")], PLACE),
            (vec![(PLACE, "s3://media/a%20b")], "prefix"),
            (vec![(PLACE, "file://elsewhere/x")], PLACE),
            (vec![(PLACE, "s3://media")], "AWS_ACCESS_KEY_ID"),
            (vec![(PLACE, "s3://media"), KEYS[0]], "AWS_SECRET_ACCESS_KEY"),
            (vec![(PLACE, "s3://media"), KEYS[0], KEYS[1], ("AWS_S3_ENDPOINT_URL", "hunter2")], "AWS_S3_ENDPOINT_URL"),
            (vec![(PUBLIC_URL, "hunter2")], PUBLIC_URL),
        ] {
            let error = read(&pairs).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{pairs:?}: {error}");
        }
    }
}
