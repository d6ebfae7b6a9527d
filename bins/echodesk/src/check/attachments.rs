//! Can attachments be kept?

use echodesk_core::SchemaName;
use echodesk_job::mail::MailArgs;
use echodesk_job::one_line;
use echodesk_mail::attachments::AttachmentSettings;
use echodesk_mail::model::ContentDigest;
use echodesk_mail::ports::AttachmentStore;
use sha2::{Digest, Sha256};

use super::far::Reach;
use super::finding::Finding;
use super::remedy;
use crate::command::World;

/// Stands for a tenant, so that the probe lies apart from what belongs to somebody.
const PROBE_TENANT: &str = "echodesk-check";

/// Always the same, so that any number of checks leave one small object.
const PROBE: &[u8] = b"Written by `echodesk check` to see whether attachments can be kept here.\n";

pub(super) fn check(world: &World, args: &MailArgs, reach: &Reach) -> Finding {
    let store = match args.attachments(&world.settings) {
        Ok(AttachmentSettings::S3(_)) if reach.offline => {
            return Finding::ok("attachments", "", "go to a bucket; nothing was tried");
        }
        Ok(settings) => settings.build().map_err(|error| one_line(&error)),
        Err(error) => Err(one_line(&error)),
    };
    match store.and_then(|store| probe(store.as_ref())) {
        Ok(url) => Finding::ok("attachments", "", format!("can be kept; a probe is at {url}")),
        Err(problem) => Finding::failed("attachments", "", problem, remedy::ATTACHMENTS),
    }
}

fn probe(store: &dyn AttachmentStore) -> Result<String, String> {
    let tenant: SchemaName = PROBE_TENANT.parse().map_err(|error| one_line(&error))?;
    let digest = ContentDigest(Sha256::digest(PROBE).into());
    let url = store.put(&tenant, &digest, "text/plain", PROBE).map_err(|error| one_line(&error))?;
    store.flush().map_err(|error| one_line(&error))?;
    Ok(url)
}

#[cfg(test)]
mod tests {
    use echodesk_mail::ports::AttachmentError;

    use super::*;

    /// Keeps nothing, but checks what it is given; full on demand.
    struct Shelf {
        full: bool,
    }

    impl AttachmentStore for Shelf {
        fn put(
            &self,
            to: &SchemaName,
            digest: &ContentDigest,
            _: &str,
            bytes: &[u8],
        ) -> Result<String, AttachmentError> {
            assert_eq!(*digest, ContentDigest(Sha256::digest(bytes).into()));
            Ok(format!("shelf://{to}"))
        }

        fn flush(&self) -> Result<(), AttachmentError> {
            let full = AttachmentError { place: "the shelf".to_owned(), problem: "it is full".to_owned() };
            if self.full { Err(full) } else { Ok(()) }
        }
    }

    #[test]
    fn a_probe_is_put_and_flushed() {
        assert_eq!(probe(&Shelf { full: false }), Ok("shelf://echodesk-check".to_owned()));
        assert_eq!(probe(&Shelf { full: true }), Err("cannot keep attachments in the shelf: it is full".to_owned()));
    }
}
